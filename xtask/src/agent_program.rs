//! `cargo xtask build-agent`: the agent as it is put on hosts, one small static file.
//!
//! No C library for static programs has to be installed: Rust brings what links glibc in. What glibc cannot do in a static program,
//! loading a host's name services, the agent does not ask of it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::process::{built, cargo, output, run, step};

/// The largest that the agent's file may be, in bytes.
const BYTES_MAX: u64 = 5 << 20;
/// The header of a program that needs an interpreter: a dynamic loader. Source: ELF specification, `PT_INTERP`.
const INTERPRETER: u32 = 3;
/// A loopback address that nobody else's name server has.
const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(127, 53, 0, 1);
/// A name that only that server knows.
const NAME: &str = "bundles.test";

/// Builds it, and holds it to what is promised: its size, no dynamic parts, and that it runs in a root with nothing else.
pub fn build_and_check() -> anyhow::Result<PathBuf> {
    let program = build()?;
    let bytes = std::fs::metadata(&program)?.len();
    ensure!(bytes <= BYTES_MAX, "{} has {bytes} bytes, more than {BYTES_MAX}", program.display());
    ensure!(!has_interpreter(&program)?, "{} is not static", program.display());
    step("run it in an empty root", || run_in_empty_root(&program))?;
    println!("{} has {bytes} bytes", program.display());
    Ok(program)
}

/// Builds it.
pub fn build() -> anyhow::Result<PathBuf> {
    let target = host()?;
    step("build the agent for hosts", || {
        run(cargo()
            // These would be taken instead of ours.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .args(["build", "--package", "longshore-agent", "--profile", "agent"])
            // Named, so that what runs while building is built as usual.
            .args(["--target", &target])
            .arg("--config")
            .arg(format!("target.{target}.rustflags=[\"-C\", \"target-feature=+crt-static\"]")))
    })?;
    Ok(built(&target).join("agent/longshore-agent"))
}

/// The platform that this machine is.
pub fn host() -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = output(Command::new(rustc).arg("-vV").current_dir(crate::repository()))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it builds for")?.to_owned())
}

/// Whether a program is loaded by another one, with the libraries that it names.
pub fn has_interpreter(program: &Path) -> anyhow::Result<bool> {
    let bytes = std::fs::read(program)?;
    ensure!(bytes.starts_with(b"\x7fELF\x02\x01"), "{} is no program", program.display());
    let number = |at: usize, length: usize| -> anyhow::Result<usize> {
        let field = bytes.get(at..at + length).context("the program's header is cut off")?;
        Ok(field.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte)))
    };
    let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for entry in 0..count {
        if number(table + entry * size, 4)? == INTERPRETER as usize {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Lets it fetch a bundle by a name that only a name server knows, in a root with nothing but itself and its configuration.
fn run_in_empty_root(program: &Path) -> anyhow::Result<()> {
    if !rustix::process::geteuid().is_root() {
        println!("    left out: only root can change the root");
        return Ok(());
    }
    let root = crate::own_directory().join("empty-root");
    let clear = || match std::fs::remove_dir_all(&root) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    clear()?;
    std::fs::create_dir_all(root.join("etc"))?;
    std::fs::copy(program, root.join("agent"))?;
    std::fs::write(root.join("etc/resolv.conf"), format!("nameserver {NAME_SERVER}\n"))?;
    let storage = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let config = format!(
        ":root_dir: /state\n:log_dir: /log\n:pid_dir: /pid\n:on_premises_config_file: /onprem.yml\n\
         :s3_endpoint_override: http://{NAME}:{}\n:s3_path_style: true\n",
        storage.local_addr()?.port()
    );
    std::fs::write(root.join("agent.yml"), config)?;
    let identity = "region: us-east-1\niam_user_arn: arn:aws:iam::123456789012:user/web\naws_access_key_id: AKIA\n\
                    aws_secret_access_key: secret\n";
    std::fs::write(root.join("onprem.yml"), identity)?;
    answer_names()?;
    let asked = answer_requests(storage);
    let done = Command::new("chroot")
        .arg(&root)
        .args(["/agent", "local", "-c", "/agent.yml", "-l", "s3://bucket/key", "-t", "tgz"])
        .stdin(Stdio::null())
        .output()
        .context("`chroot` cannot be started")?;
    let said = [done.stdout, done.stderr].concat();
    let Ok(request) = asked.recv_timeout(Duration::from_secs(1)) else {
        bail!("it did not find {NAME}; it said:\n{}", String::from_utf8_lossy(&said));
    };
    ensure!(request.starts_with("GET /bucket/key HTTP/1.1"), "it asked for {request}");
    Ok(clear()?)
}

/// A name server that gives every name this machine's address.
fn answer_names() -> anyhow::Result<()> {
    let socket = UdpSocket::bind((NAME_SERVER, 53)).context("port 53 cannot be had")?;
    std::thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut packet) {
            if let Some(answer) = name_answer(&packet[..length]) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    Ok(())
}

/// The answer to a query: its own question, and an address where one of version 4 is asked for. Source: RFC 1035.
fn name_answer(query: &[u8]) -> Option<Vec<u8>> {
    let question = query.get(12..)?;
    let end = question.iter().position(|byte| *byte == 0)? + 5;
    let question = question.get(..end)?;
    let is_address = question[end - 4..] == [0, 1, 0, 1];
    let mut answer = query.get(..2)?.to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_address), 0, 0, 0, 0]);
    answer.extend(question);
    if is_address {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}

/// A storage without objects; what it is asked for first.
fn answer_requests(listener: TcpListener) -> mpsc::Receiver<String> {
    let (sender, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let _ = sender.send(String::from_utf8_lossy(&request[..length]).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        }
    });
    asked
}
