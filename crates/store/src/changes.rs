//! Wake-ups: what was touched by a committed write.

use model::DeploymentId;

/// Something changed that somebody may be waiting for. It says where to look, never what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A deployment was made or asked to stop, or a host reported on it: it should be planned again.
    Deployment(DeploymentId),
    /// A plan was committed; whoever shows the deployment should look again.
    Committed(DeploymentId),
    /// A command was queued for the host with this identifier.
    Host(String),
    /// A hook of this deployment printed something.
    Output(DeploymentId),
    /// A document of this kind was written or deleted.
    Documents(String),
    /// Wake-ups may have been lost, or too much changed to tell.
    Everything,
}

impl Change {
    /// The form in which it travels between servers.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Deployment(id) => format!("deployment {id}"),
            Self::Committed(id) => format!("committed {id}"),
            Self::Host(identifier) => format!("host {identifier}"),
            Self::Output(id) => format!("output {id}"),
            Self::Documents(kind) => format!("documents {kind}"),
            Self::Everything => "everything ".to_owned(),
        }
    }

    /// A text of a newer server that we do not know may mean anything.
    pub(crate) fn from_text(text: &str) -> Self {
        let Some((what, which)) = text.split_once(' ') else { return Self::Everything };
        let known = match what {
            "deployment" => which.parse().ok().map(Self::Deployment),
            "committed" => which.parse().ok().map(Self::Committed),
            "host" => Some(Self::Host(which.to_owned())),
            "output" => which.parse().ok().map(Self::Output),
            "documents" => Some(Self::Documents(which.to_owned())),
            _ => None,
        };
        known.unwrap_or(Self::Everything)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_reads_as_written() {
        let id: DeploymentId = "d-75I7MBT7C".parse().unwrap();
        for change in [
            Change::Deployment(id.clone()),
            Change::Committed(id.clone()),
            Change::Output(id),
            Change::Host("arn:aws:ec2:us-east-1:1:instance/i-1 x".to_owned()),
            Change::Documents("ec2.instance".to_owned()),
            Change::Everything,
        ] {
            assert_eq!(Change::from_text(&change.to_text()), change);
        }
        assert_eq!(Change::from_text("novelty 5"), Change::Everything);
        assert_eq!(Change::from_text("deployment nonsense"), Change::Everything);
    }
}
