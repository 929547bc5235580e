//! Users and groups of the host, read from the files; no C library's name service, so that the agent can be static.

use std::fs;
use std::process::{Command, Stdio};

/// A user of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// The user's id.
    pub uid: u32,
    /// The id of the primary group.
    pub gid: u32,
    /// The home directory.
    pub home: String,
    /// The login shell.
    pub shell: String,
}

/// The user of this name: from `/etc/passwd`, else, for directory services, from the `getent` program.
pub fn user(name: &str) -> Option<User> {
    let file = fs::read_to_string("/etc/passwd").unwrap_or_default();
    user_in(&file, name).or_else(|| user_in(&getent("passwd", name)?, name))
}

/// The id of the group of this name.
pub fn group(name: &str) -> Option<u32> {
    let file = fs::read_to_string("/etc/group").unwrap_or_default();
    group_in(&file, name).or_else(|| group_in(&getent("group", name)?, name))
}

/// All groups that a process of the user should have, the primary one first.
pub fn groups_of(user: &User) -> Vec<u32> {
    let file = fs::read_to_string("/etc/group").unwrap_or_default();
    let mut groups = vec![user.gid];
    for line in file.lines() {
        let mut fields = line.split(':');
        let gid = fields.nth(2).and_then(|gid| gid.parse().ok());
        let member = fields.next().unwrap_or_default().split(',').any(|name| name == user.name);
        if let Some(gid) = gid.filter(|gid| member && !groups.contains(gid)) {
            groups.push(gid);
        }
    }
    groups
}

fn user_in(file: &str, name: &str) -> Option<User> {
    file.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [found, _, uid, gid, _, home, shell, ..] = fields[..] else { return None };
        (found == name && !name.is_empty()).then_some(())?;
        Some(User {
            name: name.to_owned(),
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
            home: home.to_owned(),
            shell: if shell.is_empty() { "/bin/sh".to_owned() } else { shell.to_owned() },
        })
    })
}

fn group_in(file: &str, name: &str) -> Option<u32> {
    file.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [found, _, gid, ..] = fields[..] else { return None };
        if found == name { gid.parse().ok() } else { None }
    })
}

fn getent(database: &str, name: &str) -> Option<String> {
    if name.is_empty() || name.starts_with('-') {
        return None;
    }
    let output = Command::new("getent")
        .args([database, name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name_and_never_by_number() {
        let file = "root:x:0:0:root:/root:/bin/bash\nweb:x:33:34::/srv:\nbroken\n";
        let web = user_in(file, "web").unwrap();
        assert_eq!((web.uid, web.gid, web.shell.as_str()), (33, 34, "/bin/sh"));
        assert_eq!(user_in(file, "33"), None);
        assert_eq!(user_in(file, ""), None);
        assert_eq!(group_in("root:x:0:\nweb:x:34:a,b\n", "web"), Some(34));
    }
}
