//! Amazon Resource Names of the things that CodeDeploy knows.

/// The account and region in which a thing lives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Twelve digits.
    pub account: String,
    /// For example `us-east-1`.
    pub region: String,
}

impl Scope {
    /// The ARN of an application.
    pub fn application(&self, name: &str) -> String {
        format!("arn:aws:codedeploy:{}:{}:application:{name}", self.region, self.account)
    }

    /// The ARN of a deployment group: `deploymentgroup` in one word, a slash between the names.
    pub fn deployment_group(&self, application: &str, group: &str) -> String {
        format!(
            "arn:aws:codedeploy:{}:{}:deploymentgroup:{application}/{group}",
            self.region, self.account
        )
    }

    /// The ARN of a deployment, as agents know it.
    pub fn deployment(&self, id: &crate::DeploymentId) -> String {
        format!("arn:aws:codedeploy:{}:{}:deployment/{id}", self.region, self.account)
    }

    /// The ARN of an instance; also the identifier by which its agent polls.
    pub fn instance(&self, id: &crate::InstanceId) -> String {
        format!("arn:aws:ec2:{}:{}:instance/{id}", self.region, self.account)
    }
}
