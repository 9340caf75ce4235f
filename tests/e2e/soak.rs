//! The soak at a small size: what holds there under kills, many sessions, long use and readers that stop. The bench runs the full size.

use pilotfish_tests::soak::seen::Faults;
use pilotfish_tests::soak::{kills, sessions, slow, turns, unread};
use std::time::Duration;

#[tokio::test]
async fn what_was_acknowledged_survives_kills_at_random_moments() -> anyhow::Result<()> {
    let figures = kills::run(kills::Size { kills: 50, seed: 7 }).await?;
    assert_eq!(figures.told, Vec::<String>::new());
    assert_eq!((figures.faults, figures.forgotten, figures.torn), (Faults::default(), 0, 0));
    // Else nothing was tried.
    assert!(figures.updates > 1000 && figures.prompts > 100, "{figures:?}");
    Ok(())
}

#[tokio::test]
async fn many_sessions_are_served_and_leave_nothing_behind() -> anyhow::Result<()> {
    let figures = sessions::run(sessions::Size { open: 100, active: 10 }).await?;
    assert_eq!(figures.done, 200);
    assert!(figures.held_after.is_within(figures.held_before), "{figures:?}");
    assert!(figures.again <= figures.after + figures.after / 10, "{figures:?}");
    Ok(())
}

#[tokio::test]
async fn memory_and_descriptors_stay_level_over_many_turns() -> anyhow::Result<()> {
    let figures = turns::run(turns::Size { turns: 300 }).await?;
    let ((early, held_early), (late, held_late)) = (figures.early(), figures.late());
    assert!(figures.done >= 300, "{figures:?}");
    assert!(late <= early + early / 10, "{figures:?}");
    assert!(held_late.is_within(held_early), "{figures:?}");
    Ok(())
}

#[tokio::test]
async fn a_client_that_does_not_read_costs_the_others_nothing_and_catches_up() -> anyhow::Result<()> {
    let size = slow::Size { clients: 6, deltas: 20, pace: Duration::from_millis(1) };
    let figures = slow::run(size).await?;
    assert_eq!((figures.complete, figures.caught_up), (6 + 5, true));
    Ok(())
}

#[tokio::test]
async fn what_is_not_read_is_not_kept_in_memory_and_is_all_there_afterwards() -> anyhow::Result<()> {
    let figures = unread::run(unread::Size { bytes: 16 << 20 }).await?;
    assert_eq!(figures.complete, figures.sessions);
    assert!(figures.peak.max(figures.peak_after) <= 256 << 20, "{figures:?}");
    Ok(())
}
