//! Seeded fleets through the planner; a failure prints its seed and its story.

use testkit::simulation;

#[test]
fn a_hundred_thousand_fleets_deploy_correctly() {
    match simulation::run_many(0..100_000) {
        Ok(summary) => {
            println!("{summary:?}");
            assert_eq!(summary.fleets, 100_000);
            // A simulation in which nothing succeeds, nothing fails, or nothing is rolled back, checks nothing.
            for count in [summary.succeeded, summary.failed, summary.stopped, summary.rollbacks] {
                assert!(count > 5_000, "{summary:?}");
            }
            for count in [summary.queued, summary.baked, summary.crowded] {
                assert!(count > 1_000, "{summary:?}");
            }
        }
        Err(failure) => panic!("{failure}"),
    }
}
