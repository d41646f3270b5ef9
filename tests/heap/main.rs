//! What a simulated study asks of the heap, counted: nothing for a family, once the simulator is warm.
//!
//! A binary of its own with one test, so that nothing else allocates meanwhile. The counts are the program's own; that they
//! are the same for small and for large studies is the claim.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first surprise, in its helper functions too"
)]

use lottning::planning::kernel_tier::Kernel;
use lottning::planning::scenario::plan;
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

/// Requests for each of [`STUDIES`] studies of so many families by the engine `kernel`, with so many redraws of the test,
/// and for as many more that nobody had run before.
fn requests_of_kernel(families: u32, draws: u32) -> [Vec<usize>; 2] {
    let scenario = include_str!("../../simulations/workloads/w5.toml");
    let protocol = include_str!("../../simulations/protocols/fixed-binary.toml");
    let settings = [
        "engine=\"kernel\"".to_owned(),
        format!("protocol.sample_size.stop.families={families}"),
    ];
    let plan = plan(scenario, protocol, &settings).unwrap();
    let mut kernel = Kernel::new(&plan.cells[0], 1).with_draws(draws);
    let mut counted = |replicate| {
        let region = Region::new(COUNTED);
        let record = kernel.study(replicate).unwrap();
        let change = region.change();
        assert_eq!(record.families, families);
        assert!(record.analyses.iter().all(|own| own.found.is_ok()));
        change.allocations + change.reallocations
    };
    // The same studies twice: tables have the room that they need.
    (0..STUDIES).for_each(|replicate| {
        counted(replicate);
    });
    let again = (0..STUDIES).map(&mut counted).collect();
    let fresh = (STUDIES..10 * STUDIES).map(counted).collect();
    assert_eq!(kernel.left(), 0, "counts settle every study");
    [again, fresh]
}

/// By the engine `kernel` a study asks for its record and nothing else: the same number of requests for every replicate, for
/// twice the families, and with redraws.
fn nothing_is_asked_by_the_kernel() {
    let [small, _] = requests_of_kernel(300, 0);
    let most = small[0];
    assert!(most <= 4, "{small:?}");
    assert_eq!(small, [most; STUDIES as usize]);
    assert_eq!(requests_of_kernel(600, 0)[0], small);
    assert_eq!(requests_of_kernel(300, 199)[0], small);
    // A study that is larger than any before it may let a table grow; that ends, and is far from one a study.
    let [_, fresh] = requests_of_kernel(300, 199);
    let more: usize = fresh.iter().map(|own| own - most).sum();
    assert!(more < fresh.len() / 2, "{fresh:?}");
}

#[test]
fn nothing_is_asked_of_the_heap_for_a_family() {
    let vector = Region::new(COUNTED);
    drop(std::hint::black_box(vec![1, 2, 3]));
    assert!(vector.change().allocations > 0, "the heap is not watched");
    nothing_is_asked_by_the_kernel();
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
}
