//! `lottning boundaries`.

use clap::Args;
use serde_json::json;

use crate::app::Failure;
use crate::app::boundaries::{self, Answer, FUTILITY, Request};
use crate::diagnostic::{Lang, Words};
use crate::estimation::group_sequential::Shape;
use crate::words;

use super::output::{Cell, Document, Grid, Shown, number};
use super::session::Session;

/// Arguments of `boundaries`.
#[derive(Debug, Args)]
pub(super) struct Boundaries {
    /// Number of looks, the last one included, at equal steps of information
    #[arg(long, value_name = "LOOKS", allow_negative_numbers = true)]
    looks: Option<u32>,
    /// Information of each look, rising; the last is the whole
    #[arg(
        long,
        value_name = "T,…",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    information: Vec<f64>,
    /// How the critical values, or the alpha spent, follow information
    #[arg(long, value_name = "D", value_parser = Shape::IDS)]
    design: String,
    /// Parameter of wang-tsiatis: 0 is O'Brien–Fleming, 0.5 is Pocock
    #[arg(long, allow_negative_numbers = true)]
    delta: Option<f64>,
    /// Parameter of hwang-shih-decani: -4 is like O'Brien–Fleming, 1 like Pocock
    #[arg(long, allow_negative_numbers = true)]
    gamma: Option<f64>,
    /// Type I error of both sides together
    #[arg(long, default_value_t = 0.05, allow_negative_numbers = true)]
    alpha: f64,
    /// 1 or 2
    #[arg(long, default_value_t = 2)]
    sides: u8,
    /// Power for which the cost of the looks is shown
    #[arg(long, allow_negative_numbers = true)]
    power: Option<f64>,
    /// Stop for futility too, non-binding: how beta is spent; needs --power and --sides 1
    #[arg(long, value_name = "D", value_parser = FUTILITY)]
    futility: Option<String>,
    /// Parameter of --futility hwang-shih-decani
    #[arg(long, value_name = "G", allow_negative_numbers = true)]
    futility_gamma: Option<f64>,
    /// Power of the same study with one look, of any family: its power with these looks is shown
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    fixed_power: Option<f64>,
    /// Number of a look that did not stop the study: conditional and predictive power are shown
    #[arg(long, value_name = "LOOK", requires = "z")]
    seen: Option<u32>,
    /// Value of z at that look, positive towards the effect
    #[arg(long, requires = "seen", allow_hyphen_values = true)]
    z: Option<f64>,
}

impl Boundaries {
    /// The boundaries as `lottning.boundaries/1`.
    pub(super) fn run(&self, _: &Session) -> Result<Document, Failure> {
        let answer = boundaries::boundaries(&Request {
            looks: self.looks,
            information: self.information.clone(),
            design: self.design.clone(),
            delta: self.delta,
            gamma: self.gamma,
            alpha: self.alpha,
            sides: self.sides,
            power: self.power,
            futility: self.futility.clone(),
            futility_gamma: self.futility_gamma,
            fixed_power: self.fixed_power,
            seen: self.seen.zip(self.z),
        })?;
        let plan = &answer.boundaries;
        // A look that can spend nothing has no critical value.
        let finite = |value: &f64| value.is_finite().then_some(*value);
        let critical: Vec<_> = plan.critical_values().iter().map(finite).collect();
        let mut body = json!({
            "design": answer.shape.id(),
            "delta": self.delta,
            "gamma": self.gamma,
            "sides": self.sides,
            "alpha": self.alpha,
            "information": answer.information,
            "information_divided_by": answer.divided_by,
            "critical_values": critical,
            "cumulative_alpha": plan.cumulative_alpha(),
            "nominal_p": answer.nominal,
        });
        if let (Some((inflation, expected)), Some((without, effect))) =
            (answer.cost, &answer.stopping)
        {
            body["power"] = json!(self.power);
            body["inflation"] = json!(inflation);
            body["expected_information_h1"] = json!(expected);
            body["expected_information_h0"] = json!(answer.expected_information_h0);
            body["stopping_h0"] = json!(without);
            body["stopping_h1"] = json!(effect);
        }
        if let Some(futility) = &answer.futility {
            let finite: Vec<_> = futility.values().iter().map(finite).collect();
            body["futility"] = json!(self.futility);
            body["futility_gamma"] = json!(self.futility_gamma);
            body["futility_values"] = json!(finite);
            body["cumulative_beta"] = json!(futility.cumulative_beta());
            body["futility_h0"] = json!(futility.exits(0.0).lower);
            body["futility_h1"] = json!(futility.exits(futility.effect()).lower);
        }
        if let Some(power) = answer.power_with_looks {
            body["fixed_power"] = json!(self.fixed_power);
            body["power_with_looks"] = json!(power);
        }
        if let Some(outlook) = answer.outlook {
            body["seen"] = json!(self.seen);
            body["z"] = json!(self.z);
            body["conditional_power"] = json!({
                "null": outlook.null,
                "trend": outlook.trend,
                "design": outlook.design,
            });
            body["predictive_power"] = json!(outlook.predictive);
        }
        Ok(Document::new("boundaries/1", &body)?
            .grid(grid(&answer))
            .text(sentence(&answer)))
    }
}

fn grid(answer: &Answer) -> Grid {
    let plan = &answer.boundaries;
    let mut grid = Grid::new()
        .column("look", Words::new("look", "titt"))
        .column("information", Words::new("information", "information"))
        .column(
            "critical_value",
            Words::new("critical value", "kritiskt värde"),
        )
        .column("futility", Words::new("futility", "futilitet"))
        .column("nominal_p", Words::new("p at the look", "p vid titten"))
        .column(
            "cumulative_alpha",
            Words::new("alpha spent", "förbrukat alfa"),
        )
        .column(
            "stopping_h0",
            Words::new("stops, no effect", "stopp utan effekt"),
        )
        .column(
            "stopping_h1",
            Words::new("stops, effect", "stopp med effekt"),
        );
    for (look, information) in answer.information.iter().enumerate() {
        let of = |values: &[f64]| values.get(look).copied();
        let critical = of(plan.critical_values()).filter(|value| value.is_finite());
        let futility = answer.futility.as_ref();
        let futility = futility.and_then(|own| of(own.values()));
        let (without, effect) = match &answer.stopping {
            Some((without, effect)) => (of(without), of(effect)),
            None => (None, None),
        };
        grid.row([
            Cell::count(look + 1),
            Cell::number(Some(*information), Shown::Decimals(3)),
            Cell::number(critical, Shown::Decimals(4)),
            Cell::number(futility, Shown::Decimals(4)),
            Cell::number(of(&answer.nominal), Shown::PValue),
            Cell::number(of(plan.cumulative_alpha()), Shown::Significant(4)),
            Cell::number(without, Shown::Decimals(4)),
            Cell::number(effect, Shown::Decimals(4)),
        ]);
    }
    grid.without_empty_columns()
}

fn sentence(answer: &Answer) -> Words {
    let mut words = cost(answer);
    let mut add = |more: Words| {
        for (own, more) in [(&mut words.en, more.en), (&mut words.sv, more.sv)] {
            own.push(' ');
            own.push_str(&more);
        }
    };
    let shown =
        |value: f64| [Lang::En, Lang::Sv].map(|lang| number(value, Shown::Decimals(4), lang));
    if let Some(last) = answer.divided_by {
        let [en, sv] = [Lang::En, Lang::Sv].map(|lang| number(last, Shown::Significant(6), lang));
        add(words!(
            "The information that was given ends at {en}, which is taken for the whole: each look has its share of that.",
            "Den angivna informationen slutar vid {sv}, som tas för hela: varje titt har sin andel av den."
        ));
    }
    if let Some(power) = answer.power_with_looks {
        let [en, sv] = shown(power);
        add(words!(
            "With these looks the power is {en}.",
            "Med dessa tittar är styrkan {sv}."
        ));
    }
    if let Some(outlook) = answer.outlook {
        let [trend_en, trend_sv] = shown(outlook.trend);
        let [null_en, null_sv] = shown(outlook.null);
        let [mean_en, mean_sv] = shown(outlook.predictive);
        add(words!(
            "After that look the power is {trend_en} if the effect is what it shows, {null_en} without one, and {mean_en} averaged over what it leaves open.",
            "Efter den titten är styrkan {trend_sv} om effekten är den som syns, {null_sv} utan effekt och {mean_sv} i genomsnitt över det som den lämnar öppet."
        ));
    }
    words
}

fn cost(answer: &Answer) -> Words {
    let id = answer.shape.id();
    let Some((inflation, expected)) = answer.cost else {
        return words!(
            "{id}: the study stops at a look whose |z| reaches the critical value.",
            "{id}: studien stoppas vid en titt där |z| når det kritiska värdet."
        );
    };
    let shown = |value: f64, lang| number(value, Shown::Decimals(3), lang);
    let [(whole_en, mean_en), (whole_sv, mean_sv)] =
        [Lang::En, Lang::Sv].map(|lang| (shown(inflation, lang), shown(expected, lang)));
    words!(
        "{id}: the whole study must be {whole_en} times as large as one without looks; if the effect is as assumed, it uses {mean_en} times as much on average.",
        "{id}: hela studien måste vara {whole_sv} gånger så stor som en utan tittar; om effekten är den antagna används i genomsnitt {mean_sv} gånger så mycket."
    )
}
