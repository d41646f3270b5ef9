#!/usr/bin/env bash
# A simulation as a job array on a real Slurm: three virtual nodes on this machine, started here and ended here.
#
#   tests/slurm/run.sh PROGRAM
#
# Needs root, and slurmctld, slurmd, sbatch and munged (Debian: slurm-wlm, munge); a missing one fails. Claims: the merge
# job gives the bytes of one machine; after a task was killed the merge names its shard, and submitting again mends it.
set -euo pipefail
program=$(realpath "$1")
package=$(realpath "$(dirname "$0")/../..")
export PATH=/usr/sbin:/usr/bin:/bin:$PATH
for needed in slurmctld slurmd sbatch squeue sinfo munged setpriv; do
  command -v "$needed" > /dev/null || { echo "$needed is missing"; exit 1; }
done

work=$(mktemp -d)
chmod 755 "$work"
nodes=3; cpus=2; port=26817; host=$(hostname -s)

down() {
  for file in "$work"/slurmd-*.pid "$work"/slurmctld.pid "$work"/run/pid; do
    if [ -s "$file" ]; then kill "$(cat "$file")" 2> /dev/null || true; fi
  done
  sleep 1
  rm -rf "$work"
}
trap down EXIT

mkdir -p "$work"/{state,spool,log,munge,run}
chown munge: "$work/munge" "$work/run"
chmod 700 "$work/munge"; chmod 755 "$work/run"
head -c 1024 /dev/urandom > "$work/munge/key"
chown munge: "$work/munge/key"; chmod 400 "$work/munge/key"
setpriv --reuid=munge --regid=munge --clear-groups munged --key-file="$work/munge/key" --socket="$work/run/sock" \
  --pid-file="$work/run/pid" --log-file="$work/munge/log" --seed-file="$work/munge/seed"
{
  cat << CONF
ClusterName=lottning
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=$port
AuthInfo=socket=$work/run/sock
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool/%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd-%n.pid
SlurmctldLogFile=$work/log/slurmctld.log
SlurmdLogFile=$work/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$work/log/jobcomp.txt
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=100000
ReturnToService=2
CONF
  for node in $(seq "$nodes"); do
    mkdir -p "$work/spool/n$node"
    echo "NodeName=n$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + node))" \
      "CPUs=$cpus Sockets=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=500"
  done
  echo "PartitionName=batch Nodes=n[1-$nodes] Default=YES MaxTime=60 State=UP"
} > "$work/slurm.conf"
echo "CgroupPlugin=autodetect" > "$work/cgroup.conf"
export SLURM_CONF="$work/slurm.conf"
slurmctld -c
for node in $(seq "$nodes"); do slurmd -c -N "n$node"; done
for _ in $(seq 100); do
  idle=$(sinfo -h -t idle -o %D | awk '{ sum += $1 } END { print sum + 0 }')
  [ "$idle" = "$nodes" ] && break
  sleep 0.2
done
[ "$idle" = "$nodes" ] || { echo "the nodes did not come up"; cat "$work"/log/*.log; exit 1; }
echo "slurm: $(sinfo --version), $nodes virtual nodes with $cpus processors"

# Submits a script and waits until its merge has ended.
submit() {
  local said merge
  said=$(bash "$1")
  echo "$said"
  merge=${said##*merge }
  for _ in $(seq 600); do
    [ -z "$(squeue -h -j "$merge" -o %T 2> /dev/null)" ] && return
    sleep 0.5
  done
  echo "the jobs did not end"; squeue; cat "$work"/log/*.log; exit 1
}

same() {
  cmp "$1" "$2" || { echo "$3: other bytes than one machine"; exit 1; }
  echo "$3: the bytes of one machine"
}

mkdir "$work/place"
cd "$work/place"
order=("$package/simulations/iuh-2025.toml" --set months=12 --draws 39 --replicates 3000 --seed 5)
"$program" simulate "${order[@]}" --out one --json > one.json
same one/performance.json one.json "one machine, with and without a folder"

export LOTTNING=$program
"$program" simulate "${order[@]}" --slurm 5 --out array > array.sh
LOTTNING_CPUS=2 submit array.sh
same array/performance.json one.json "5 shards on $nodes nodes"
tasks=$(grep -c "JobState=COMPLETED.*Name=lottning-shard\|Name=lottning-shard.*JobState=COMPLETED" "$work/log/jobcomp.txt")
[ "$tasks" = 5 ] || { echo "$tasks tasks completed, not 5"; cat "$work/log/jobcomp.txt"; exit 1; }
used=$(grep -o "NodeList=n[0-9]*" "$work/log/jobcomp.txt" | sort -u | wc -l)
[ "$used" -gt 1 ] || { echo "all on one node"; exit 1; }

# The second shard is killed, with the signal that nobody can catch, as soon as it has written something.
cat > killer.sh << 'KILLER'
#!/bin/bash
case "$*" in
  *"--shard 2/3"*)
    if [ ! -e killed/was-killed ]; then
      "$PROGRAM" "$@" & child=$!
      until ls killed/records/*.records > /dev/null 2>&1; do sleep 0.01; done
      touch killed/was-killed
      kill -KILL "$child"
      wait "$child"
      exit $?
    fi ;;
esac
exec "$PROGRAM" "$@"
KILLER
chmod +x killer.sh
export PROGRAM=$program LOTTNING=$PWD/killer.sh
"$program" simulate "${order[@]}" --slurm 3 --out killed > killed.sh
submit killed.sh
[ -e killed/was-killed ] && [ ! -e killed/performance.json ] || { echo "nothing was killed"; cat killed/*.log; exit 1; }
grep -q "shards-incomplete" killed/merge.log || { echo "the merge names nothing"; cat killed/merge.log; exit 1; }
[ "$(grep -c -- "--shard ./3 --out killed" killed/merge.log)" = 1 ] || { echo "other shards than one"; cat killed/merge.log; exit 1; }
grep -q -- "--shard 2/3 --out killed" killed/merge.log
echo "a killed task: the merge names shard 2/3"
submit killed.sh
same killed/performance.json one.json "submitted again"
