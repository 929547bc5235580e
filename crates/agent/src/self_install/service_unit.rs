//! How init programs start and stop the agent.

/// The service's name, the official agent's.
pub(super) const NAME: &str = "codedeploy-agent";
/// Where init scripts are.
pub(super) const INIT_SCRIPT_PATH: &str = "/etc/init.d/codedeploy-agent";
/// Where units of this machine's own are.
pub(super) const UNIT_PATH: &str = "/etc/systemd/system/codedeploy-agent.service";
/// Where the unit is if the agent came as a distribution's package.
pub(super) const PACKAGED_UNIT_PATH: &str = "/usr/lib/systemd/system/codedeploy-agent.service";
/// What tells our init script from another agent's.
pub(super) const MARK: &str = "longshore-agent";

/// The init script. It needs no systemd, no `start-stop-daemon` and no environment.
pub(super) const INIT_SCRIPT: &str = include_str!("codedeploy-agent.init");

/// The unit for systemd. What the service may not do, its hooks may not either, and they are to change the machine: install
/// set-user-id files and kernel modules, call sudo, mount, make users and name spaces. So nothing is closed that one of
/// them may need; what is set keeps the agent alive beside whatever hooks do.
pub(super) const UNIT: &str = include_str!("codedeploy-agent.service");
