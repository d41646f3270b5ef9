//! `simulate … --slurm N`: prints the job array that runs N shards and the merge that waits for it.
//!
//! Nothing is submitted here and no scheduler is asked anything: the same three commands run under any other one, with
//! another variable for the number of the task. The merge runs after the array whether or not each task succeeded
//! (`afterany`), because it is the merge that can say which shards are missing and how to run them.

use super::order::{Order, quoted};
use crate::app::exit;
use crate::app::failure::Failure;
use crate::words;
use std::path::Path;

/// Most tasks of an array.
const MOST: u32 = 100_000;

/// The script: to be run by a shell where the shards are to be submitted from.
///
/// The program is `lottning`, or what `LOTTNING` names; `SBATCH_…` variables and a configuration of Slurm choose
/// partition and time as for every job.
///
/// # Errors
/// A number of shards outside 1…100,000: exit 2.
pub fn script(order: &Order, shards: u32, out: &Path) -> Result<String, Failure> {
    if !(1..=MOST).contains(&shards) {
        return Err(Failure::new(
            exit::USAGE,
            "invalid-value",
            words!(
                "`--slurm {shards}` is no number of shards from 1 to {MOST}",
                "`--slurm {shards}` är inget antal delar från 1 till {MOST}"
            ),
        ));
    }
    let (command, out) = (order.command(), quoted(&out.display().to_string()));
    Ok(format!(
        r#"#!/bin/bash
# {shards} shards of a simulation as a job array, and the merge that waits for it. Run it with bash; the answer is the
# file {out}/performance.json. Shards that failed or were killed go on when this is run again.
set -euo pipefail
export LOTTNING="${{LOTTNING:-lottning}}"
mkdir -p {out}

array=$(sbatch --parsable --job-name=lottning-shard --array=1-{shards} --cpus-per-task="${{LOTTNING_CPUS:-1}}" \
  --requeue --open-mode=append --output={out}/shard-%a.log <<'TASK'
#!/bin/bash
exec "$LOTTNING" {command} --shard "$SLURM_ARRAY_TASK_ID/{shards}" --threads "${{SLURM_CPUS_PER_TASK:-1}}" --out {out}
TASK
)
merge=$(sbatch --parsable --job-name=lottning-merge --dependency="afterany:${{array%%;*}}" \
  --output={out}/merge.log <<'TASK'
#!/bin/bash
exec "$LOTTNING" simulate --merge {out}
TASK
)
echo "array ${{array%%;*}}, merge ${{merge%%;*}}"
"#
    ))
}
