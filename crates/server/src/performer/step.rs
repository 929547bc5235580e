//! What is to be done to one instance: a function of its record and of what runs.

use std::time::Duration;

use model::Timestamp;

use crate::ec2::{Desired, InstanceRecord, State};

/// An instance that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Up {
    /// Which of its starts it was started for.
    pub(super) boots: u32,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Start it.
    Start,
    /// End it and start it again.
    Restart,
    /// It runs: say so.
    NoteRunning,
    /// End it; its disk stays.
    Stop,
    /// End it and remove its disk.
    Terminate,
    /// Forget it.
    Forget,
}

/// How long a terminated instance is still shown. Source: EC2 user guide, "Terminate your instance".
const SHOWN: Duration = Duration::from_secs(3600);

/// What is to be done to the instance, if anything.
pub(super) fn next(record: &InstanceRecord, up: Option<Up>, now: Timestamp) -> Option<Step> {
    match (record.desired, up) {
        (Desired::Running, None) => Some(Step::Start),
        (Desired::Running, Some(up)) if up.boots != record.boots => Some(Step::Restart),
        (Desired::Running, Some(_)) => {
            (record.state != State::Running).then_some(Step::NoteRunning)
        }
        (Desired::Stopped, Some(_)) => Some(Step::Stop),
        (Desired::Stopped, None) => (record.state != State::Stopped).then_some(Step::Stop),
        (Desired::Terminated, Some(_)) => Some(Step::Terminate),
        (Desired::Terminated, None) if record.state != State::Terminated => Some(Step::Terminate),
        (Desired::Terminated, None) => {
            let ended = Timestamp::from_millis(record.terminated_ms.unwrap_or(0));
            (now.since(ended) >= SHOWN).then_some(Step::Forget)
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    pub(in crate::performer) fn record() -> InstanceRecord {
        InstanceRecord {
            id: "i-0123456789abcdef0".into(),
            region: "us-east-1".into(),
            zone: "us-east-1a".into(),
            reservation: "r-1".into(),
            launch_index: 0,
            client_token: None,
            image: crate::ec2::IMAGE_WITH_AGENT.into(),
            instance_type: "t2.micro".into(),
            key_name: None,
            profile: None,
            groups: vec!["sg-1".into()],
            user_data: None,
            tags: std::collections::BTreeMap::new(),
            launched_ms: 0,
            address: Ipv4Addr::new(10, 1, 2, 5),
            desired: Desired::Running,
            state: State::Pending,
            boots: 1,
            reason: None,
            terminated_ms: None,
        }
    }

    #[test]
    fn what_is_wished_for_is_done_until_it_is_so() {
        use Desired as D;
        use State as S;
        let now = Timestamp::from_millis(7_200_000);
        let up = |boots| Some(Up { boots });
        for (desired, state, up, expected) in [
            (D::Running, S::Pending, None, Some(Step::Start)),
            (D::Running, S::Running, None, Some(Step::Start)),
            (D::Running, S::Pending, up(1), Some(Step::NoteRunning)),
            (D::Running, S::Running, up(1), None),
            (D::Running, S::Running, up(0), Some(Step::Restart)),
            (D::Stopped, S::Stopping, up(1), Some(Step::Stop)),
            (D::Stopped, S::Stopping, None, Some(Step::Stop)),
            (D::Stopped, S::Stopped, None, None),
            (D::Stopped, S::Stopped, up(1), Some(Step::Stop)),
            (D::Terminated, S::ShuttingDown, up(1), Some(Step::Terminate)),
            (D::Terminated, S::ShuttingDown, None, Some(Step::Terminate)),
            (D::Terminated, S::Terminated, None, None),
        ] {
            let record = InstanceRecord {
                desired,
                state,
                terminated_ms: Some(now.as_millis() - 3_599_999),
                ..record()
            };
            assert_eq!(next(&record, up, now), expected, "{desired:?} {state:?} {up:?}");
        }
    }

    #[test]
    fn a_terminated_instance_is_forgotten_after_an_hour() {
        let record = InstanceRecord {
            desired: Desired::Terminated,
            state: State::Terminated,
            terminated_ms: Some(1_000),
            ..record()
        };
        assert_eq!(next(&record, None, Timestamp::from_millis(3_600_999)), None);
        assert_eq!(next(&record, None, Timestamp::from_millis(3_601_000)), Some(Step::Forget));
    }
}
