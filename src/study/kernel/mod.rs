//! The pure state machine of a study: `decide` what a command means, `apply` what happened.
//!
//! One decision, two users: live, `decide → encode → append → apply`; in simulation, `decide → apply`. Ids are small
//! integers, nothing here knows a name, a clock or a byte format, and nothing is allocated on the heap per family
//! beyond the growth of the state's own tables. Capacity opens or closes the gate before the draw; it never tilts a
//! draw. The journal (`super::journal`) gives integers their names.

mod apply;
mod coding;
mod command;
mod corrections;
mod decide;
mod draws;
mod event;
mod families;
mod limits;
mod state;

pub use apply::apply;
pub(crate) use apply::apply_in_place;
pub use command::{Answer, Command, Decision, Enrolment, Refusal};
pub use corrections::Sighting;
pub(crate) use decide::may_record_in_place;
pub use decide::{decide, enrol, may_record, missed_criteria};
pub use draws::{ArmSource, Drawer, Draws, RecordedSource, RedrawSource, StratumSource};
pub use event::{
    ChildIx, DelivererIx, Event, FamilyIx, LeftAside, MAX_CHILDREN, Report, ReportIx, Roster,
    Screening, SiteIx, Source, Truth, Values, Verdict, What,
};
pub(in crate::study) use families::came_from;
pub use state::{
    Allocated, Child, EarlierScreening, EpochState, Exempted, Family, GateChange, LinkRow,
    LockState, Occurred, Occurrence, ReportState, SiteChange, SiteState, State, Status, Switch,
    TurnedAway,
};
