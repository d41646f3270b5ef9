//! What a simulated study asks of the heap, counted: nothing for a family, once the simulator is warm.
//!
//! A binary of its own with one test, so that nothing else allocates meanwhile. The counts are the program's own; that they
//! are the same for small and for large studies is the claim.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first surprise, in its helper functions too"
)]

use lottning::planning::kernel_tier::Kernel;
use lottning::planning::record::Record;
use lottning::planning::scenario::{Engine, plan};
use lottning::planning::study::Simulator;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const STUDIES: u64 = 20;

/// Requests to the heap for each of [`STUDIES`] studies of so many families, of whom a share leaves each year: of enrolment
/// and follow-up, and of all with both analyses.
fn requests(families: u32, leaving: f64) -> Vec<[usize; 2]> {
    let scenario = include_str!("../../simulations/iuh-2025.toml");
    let protocol = include_str!("../../protocols/iuh-2025/protocol.toml");
    let settings = [
        format!("protocol.sample_size.stop.families={families}"),
        format!("exit.left_coverage_per_year={leaving:?}"),
    ];
    let plan = plan(scenario, protocol, &settings).unwrap();
    let mut simulator = Simulator::new(&plan.cells[1], 1).with_draws(0);
    // The same studies as below: tables have the room that they need.
    for replicate in (0..STUDIES).chain(0..STUDIES) {
        let record = simulator.study(replicate).unwrap();
        assert_eq!(record.families, families);
        assert!(record.analyses.iter().all(|own| own.found.is_ok()));
    }
    let mut counted = |what: &dyn Fn(&mut Simulator<'_>)| {
        let region = Region::new(COUNTED);
        what(&mut simulator);
        let change = region.change();
        change.allocations + change.reallocations
    };
    (0..STUDIES)
        .map(|replicate| {
            let live = counted(&|own| own.live(replicate).unwrap());
            [live, counted(&|own| drop(own.study(replicate).unwrap()))]
        })
        .collect()
}

/// What runs studies.
trait Runs {
    fn run(&mut self, replicate: u64) -> Record;
}

impl Runs for Kernel<'_> {
    fn run(&mut self, replicate: u64) -> Record {
        let record = self.study(replicate).unwrap();
        assert_eq!(self.left(), 0, "the fast path settles every study");
        record
    }
}

impl Runs for Simulator<'_> {
    fn run(&mut self, replicate: u64) -> Record {
        self.study(replicate).unwrap()
    }
}

/// Requests for each of [`STUDIES`] studies that were run before, and for nine times as many that nobody had run.
fn requests_of(runs: &mut dyn Runs, families: u32) -> [Vec<usize>; 2] {
    let mut counted = |replicate| {
        let region = Region::new(COUNTED);
        let record = runs.run(replicate);
        let change = region.change();
        assert!(record.families <= families);
        assert!(record.analyses.iter().all(|own| own.found.is_ok()));
        change.allocations + change.reallocations
    };
    // The same studies twice: tables have the room that they need.
    (0..STUDIES).for_each(|replicate| {
        counted(replicate);
    });
    let again = (0..STUDIES).map(&mut counted).collect();
    let fresh = (STUDIES..10 * STUDIES).map(counted).collect();
    [again, fresh]
}

/// A workload of one cell.
struct Workload {
    name: &'static str,
    scenario: &'static str,
    protocol: &'static str,
    /// Families of a small study.
    families: u32,
}

const WORKLOADS: [Workload; 4] = [
    Workload {
        name: "W1",
        scenario: include_str!("../../simulations/workloads/w1.toml"),
        protocol: include_str!("../../simulations/protocols/fixed-binary.toml"),
        families: 300,
    },
    Workload {
        name: "W2",
        scenario: include_str!("../../simulations/workloads/w2.toml"),
        protocol: include_str!("../../simulations/protocols/score.toml"),
        families: 300,
    },
    Workload {
        name: "W4",
        scenario: include_str!("../../simulations/workloads/w4.toml"),
        protocol: include_str!("../../simulations/protocols/monitored.toml"),
        families: 400,
    },
    Workload {
        name: "W5",
        scenario: include_str!("../../simulations/workloads/w5.toml"),
        protocol: include_str!("../../simulations/protocols/fixed-binary.toml"),
        families: 300,
    },
];

impl Workload {
    /// Requests by an engine for studies of so many families, all of whom come, with so many redraws of the test.
    fn requests(&self, engine: Engine, families: u32, draws: u32) -> [Vec<usize>; 2] {
        let scenario = match self.scenario.split_once("[grid.full]") {
            None => self.scenario.to_owned(),
            Some((head, tail)) => {
                let (_, precision) = tail.split_once("[precision]").unwrap();
                format!("{head}[precision]{precision}")
            }
        };
        let settings = [
            format!("engine=\"{}\"", engine.text()),
            format!("protocol.sample_size.stop.families={families}"),
            "accrual.families_per_month_and_site={ mean = 40 }".to_owned(),
        ];
        let plan = plan(&scenario, self.protocol, &settings).unwrap();
        let cell = &plan.cells[0];
        match engine {
            Engine::Kernel => requests_of(&mut Kernel::new(cell, 1).with_draws(draws), families),
            Engine::Study => requests_of(&mut Simulator::new(cell, 1).with_draws(draws), families),
        }
    }
}

/// By either engine a study asks for its record and for little else: for every replicate the same, for twice the families, and
/// with redraws. Looks have boundaries, and a Cox model its iterations, whose vectors are as long as looks and columns are many:
/// another number in every study, and no more of them for four hundred more families.
fn nothing_is_asked_by(engine: Engine, most: usize) {
    for own in &WORKLOADS {
        let (name, families) = (own.name, own.families);
        let [small, fresh] = own.requests(engine, families, 0);
        let [large, _] = own.requests(engine, 2 * families, 0);
        if own.scenario.contains("hazards") {
            let sum = |own: &[usize]| own.iter().sum::<usize>();
            let more = sum(&large).saturating_sub(sum(&small));
            let each = families as usize / 8 * small.len();
            assert!(more < each, "{name} {engine:?}: {small:?} {large:?}");
            continue;
        }
        let asked = *small.iter().max().unwrap();
        assert!(asked <= most, "{name} {engine:?}: {small:?}");
        assert_eq!(large, small, "{name} {engine:?}");
        few(&fresh, asked, name);
        if own.protocol.contains("kind = \"randomization\"") {
            let [drawn, fresh] = own.requests(engine, families, 199);
            let [larger, _] = own.requests(engine, 2 * families, 199);
            // The test's columns of the study; nothing for a redraw, of which each study needs another number.
            let most = *drawn.iter().max().unwrap();
            assert_eq!(drawn, [most; STUDIES as usize], "{name} {engine:?}");
            assert_eq!(larger, drawn, "{name} {engine:?}, redraws");
            assert!(most <= asked + 10, "{name} {engine:?}: {drawn:?}");
            few(&fresh, most, name);
        }
    }
}

/// A study that is larger than any before it may let a table grow; that ends, and is far from one a study.
fn few(fresh: &[usize], asked: usize, name: &str) {
    let more: usize = fresh.iter().map(|own| own.saturating_sub(asked)).sum();
    assert!(more < fresh.len() / 2, "{name}: {fresh:?}");
}

#[test]
fn nothing_is_asked_of_the_heap_for_a_family() {
    let vector = Region::new(COUNTED);
    drop(std::hint::black_box(vec![1, 2, 3]));
    assert!(vector.change().allocations > 0, "the heap is not watched");
    nothing_is_asked_by(Engine::Kernel, 4);
    nothing_is_asked_by(Engine::Study, 8);
    // Everything is known of every family: the same few requests for three times the families.
    let (small, large) = (requests(110, 0.0), requests(330, 0.0));
    assert_eq!(small, large);
    let most = large.iter().flatten().max().unwrap();
    assert!(*most <= 8, "{large:?}");
    // With families who leave there is a model behind the weights, whose vectors are its own: the larger the study, the more
    // columns it may have, but far from one request for each of 220 more families.
    let (small, large) = (requests(110, 0.03), requests(330, 0.03));
    for ([small_live, small_whole], [live, whole]) in small.iter().zip(&large) {
        assert_eq!(live, small_live, "{small:?} {large:?}");
        assert!(*whole <= small_whole + 220 / 4, "{small:?} {large:?}");
    }
    // From 190 families on most columns are taken: 190 more families ask for far fewer than one request each.
    let (small, large) = (requests(190, 0.03), requests(380, 0.03));
    let most = |own: &[[usize; 2]]| own.iter().map(|[_, whole]| *whole).max();
    let (Some(before), Some(after)) = (most(&small), most(&large)) else {
        panic!("no study was watched");
    };
    assert!(after <= before + 190 / 4, "{small:?} {large:?}");
    for ([small_live, _], [live, _]) in small.iter().zip(&large) {
        assert_eq!(live, small_live, "{small:?} {large:?}");
    }
}
