//! Addresses of hosts, from the host's own name services.
//!
//! The agent is one static file, and a static C library cannot load every name service that a host may have configured. So it reads
//! `/etc/hosts` itself and asks the host's `getent` for the rest. Only where there is no such program (an empty root) does its own
//! C library ask the name servers of `/etc/resolv.conf`.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

/// The addresses of `host`, a name or an address, with this port; at least one.
///
/// # Errors
/// Nobody knows the name.
pub async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Some(found) = without_services(host) {
        return Ok(with_port(&found, port));
    }
    let name = host.to_owned();
    let asked = tokio::task::spawn_blocking(move || getent(&name)).await?;
    let found = match asked {
        Some(found) => with_port(&found, port),
        None => tokio::net::lookup_host((host, port)).await?.collect(),
    };
    if found.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("nobody knows the name {host}"),
        ));
    }
    Ok(found)
}

fn with_port(addresses: &[IpAddr], port: u16) -> Vec<SocketAddr> {
    addresses.iter().map(|address| SocketAddr::new(*address, port)).collect()
}

/// What needs no asking: addresses, names in `/etc/hosts`, and this machine, also where that file lacks it.
fn without_services(host: &str) -> Option<Vec<IpAddr>> {
    if let Ok(address) = host.parse() {
        return Some(vec![address]);
    }
    let file = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let found = in_file(&file, host);
    match found.is_empty() {
        false => Some(found),
        true if host == "localhost" => Some(vec![Ipv4Addr::LOCALHOST.into()]),
        true => None,
    }
}

fn in_file(file: &str, host: &str) -> Vec<IpAddr> {
    let lines = file.lines().filter_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
    });
    lines.collect()
}

/// What `getent` says, which is nothing for an unknown name; `None` where there is no such program.
fn getent(host: &str) -> Option<Vec<IpAddr>> {
    if host.starts_with('-') {
        return Some(Vec::new());
    }
    let output = Command::new("getent")
        .args(["ahosts", host])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Some(in_answer(&String::from_utf8_lossy(&output.stdout)))
}

/// The addresses of an answer, each once: it has a line for every kind of socket.
fn in_answer(text: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for address in text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_a_hosts_file_whatever_their_case() {
        let file = "127.0.0.1 localhost # web\n\n10.0.0.7\tweb.test Web\n::7 web\nnonsense web\n";
        let shown = |host| in_file(file, host).iter().map(IpAddr::to_string).collect::<Vec<_>>();
        assert_eq!(shown("WEB"), ["10.0.0.7", "::7"]);
        assert_eq!(shown("#"), Vec::<String>::new());
        assert_eq!(without_services("::1"), Some(vec!["::1".parse().unwrap()]));
    }

    #[test]
    fn an_answer_has_each_address_once() {
        let text = "10.0.0.7     STREAM web.test\n10.0.0.7     DGRAM\n::7  STREAM\n";
        assert_eq!(in_answer(text).len(), 2);
    }

    #[test]
    fn a_name_that_nobody_knows_is_an_error_that_names_it() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let fault = runtime.block_on(addresses("no-such-host.invalid", 80)).unwrap_err();
        assert!(!fault.to_string().is_empty());
        let own = runtime.block_on(addresses("localhost", 80)).unwrap();
        assert!(own.iter().all(|address| address.ip().is_loopback()), "{own:?}");
    }
}
