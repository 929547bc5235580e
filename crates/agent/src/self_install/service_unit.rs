//! How init programs start and stop the agent.

/// The service's name, the official agent's.
pub(super) const NAME: &str = "codedeploy-agent";
/// Where init scripts are.
pub(super) const INIT_SCRIPT_PATH: &str = "/etc/init.d/codedeploy-agent";
/// Where units of this machine's own are.
pub(super) const UNIT_PATH: &str = "/etc/systemd/system/codedeploy-agent.service";
/// What tells our init script from another agent's.
pub(super) const MARK: &str = "longshore-agent";

/// The init script. It needs no systemd, no `start-stop-daemon` and no environment.
pub(super) const INIT_SCRIPT: &str = r#"#!/bin/sh
### BEGIN INIT INFO
# Provides:          codedeploy-agent
# Required-Start:    $network $remote_fs
# Required-Stop:     $network $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: longshore-agent, the host agent for CodeDeploy deployments
### END INIT INFO

agent=/opt/codedeploy-agent/bin/longshore-agent
[ -x "$agent" ] || exit 5
PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
export PATH
# Variables for hooks, as the official agent's script takes them; only root's own file is run as root.
[ -O /etc/profile ] && . /etc/profile
cd /opt/codedeploy-agent || exit 1

case "$1" in
    start | start-no-update | start-with-update) exec "$agent" start ;;
    stop) exec "$agent" stop ;;
    restart | force-reload) exec "$agent" restart ;;
    status) exec "$agent" status ;;
    *)
        echo "usage: $0 {start|stop|restart|force-reload|status}" >&2
        exit 2
        ;;
esac
"#;

/// The unit for systemd. What the service may not do, its hooks may not either, and they are to change the machine: install
/// set-user-id files and kernel modules, call sudo, mount, make users and name spaces. So nothing is closed that one of
/// them may need; what is set keeps the agent alive beside whatever hooks do.
pub(super) const UNIT: &str = "[Unit]
Description=longshore-agent, the host agent for CodeDeploy deployments
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart=/opt/codedeploy-agent/bin/longshore-agent run
WorkingDirectory=/opt/codedeploy-agent
Restart=on-failure
RestartSec=5
# A stopping agent finishes the lifecycle event that runs.
TimeoutStopSec=7210
# Daemons that hooks start belong to nobody's service and survive the agent.
KillMode=process
UMask=0022
# Each script gets a control group below the service's.
Delegate=yes
# A hook, or a daemon that one left, that runs out of memory does not take the agent with it.
OOMPolicy=continue
# Daemons that hooks leave count as the service's tasks.
TasksMax=infinity
LockPersonality=yes
KeyringMode=private

[Install]
WantedBy=multi-user.target
";
