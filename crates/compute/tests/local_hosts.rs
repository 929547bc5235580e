//! Local instances with real processes, mounts, links and packets. Needs what `LocalHosts::missing` asks for.
//!
//! The harness is not the standard one: an instance's processes are this executable started again, so `main` must be
//! ours.

mod machine;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use longshore_compute::{
    Cidr, ComputeError, FileSource, Ingress, InstanceSpec, LocalHosts, Protocol, ProvisionedFile,
};
use model::InstanceId;

use machine::{Fixture, eventually};

fn main() {
    longshore_compute::run_if_sandbox_process();
    machine::run_if_owner_process();
    let arguments = Arguments::from_args();
    let tests: [(&str, fn()); 18] = [
        ("an_instance_keeps_to_itself", an_instance_keeps_to_itself),
        ("root_of_an_instance_has_no_power_over_the_machine", no_power_over_the_machine),
        ("an_instance_has_its_own_name_and_small_dev", an_instance_has_its_own_name),
        ("provisioned_files_are_there_before_anything_runs", provisioned_files_are_there),
        ("a_port_opens_with_its_rule_and_only_then", a_port_opens_with_its_rule),
        ("connections_outlive_the_rule_that_let_them_in", connections_outlive_their_rule),
        ("instances_are_filtered_from_one_another", instances_are_filtered),
        ("an_instance_reaches_only_the_allowed_ports", only_allowed_ports),
        ("an_instance_cannot_use_anothers_address", no_foreign_address),
        ("a_fork_bomb_stays_inside", a_fork_bomb_stays_inside),
        ("metadata_is_asked_for_inside", metadata_is_asked_for_inside),
        ("user_data_runs_at_the_first_start_only", user_data_runs_once),
        ("stop_keeps_the_disk_and_terminate_removes_it", stop_keeps_the_disk),
        ("an_instance_that_ends_itself_is_told", exits_are_told),
        ("entering_passes_exit_code_input_and_environment", entering),
        ("instances_outlive_a_killed_server", adoption),
        ("a_start_cut_short_leaves_nothing", a_start_cut_short),
        ("ten_start_at_once_and_two_servers_do_not_meet", ten_start_at_once),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || {
            let missing = LocalHosts::missing();
            if missing.is_empty() {
                test();
            } else {
                let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
                println!("skipped: {}", missing.join("; "));
            }
            Ok::<(), Failed>(())
        })
    };
    libtest_mimic::run(&arguments, tests.into_iter().map(trial).collect()).exit();
}

fn an_instance_keeps_to_itself() {
    let fixture = Fixture::open();
    let spec = fixture.spec(1);
    fixture.start(&spec);
    let marker = format!("/etc/longshore-test-{}", std::process::id());
    assert_eq!(fixture.run(&spec.id, &format!("echo hello > {marker} && cat {marker}")), "hello\n");
    assert!(!std::path::Path::new(&marker).exists(), "a write inside shows on the machine");

    let outside = Command::new("sleep").arg("60").spawn().unwrap();
    let code = fixture.code(&spec.id, &format!("kill -9 {}", outside.id()));
    assert_ne!(code, 0, "a process of the machine can be signalled from inside");
    machine::end(outside);
    // All processes that it sees are its own: init, the shell and what the shell runs.
    let seen = fixture.run(&spec.id, "ls -d /proc/[0-9]* | wc -l");
    assert!(seen.trim().parse::<u32>().unwrap() < 8, "sees {seen} processes");

    std::fs::write(fixture.state().join("secret"), "x").unwrap();
    assert_ne!(fixture.code(&spec.id, &format!("test -e {}/secret", fixture.state())), 0);
    assert_eq!(fixture.run(&spec.id, "ls /tmp /run | grep -v : | tr -d '\\n'"), "");
    fixture.close();
}

fn no_power_over_the_machine() {
    let fixture = Fixture::open();
    let spec = fixture.spec(1);
    fixture.start(&spec);
    for forbidden in [
        "mount -t tmpfs tmpfs /mnt",
        "mount -o remount,rw /sys",
        "mknod /root/disk b 254 0",
        "echo 1 > /proc/sys/kernel/panic",
        "echo h > /proc/sysrq-trigger",
        "hostname other",
        "date -s 2001-01-01",
        "ip link set eth0 down",
        "unshare --mount true",
        "cat /proc/1/exe",
    ] {
        assert_ne!(fixture.code(&spec.id, forbidden), 0, "`{forbidden}` is possible");
    }
    // What hooks do is possible all the same.
    assert_eq!(fixture.run(&spec.id, "su -s /bin/sh nobody -c 'id -un'"), "nobody\n");
    assert_eq!(fixture.code(&spec.id, "touch /root/f && chown nobody /root/f && rm /root/f"), 0);
    fixture.close();
}

fn an_instance_has_its_own_name() {
    let fixture = Fixture::open();
    let spec = fixture.spec(1);
    fixture.start(&spec);
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(fixture.run(&spec.id, "uname -n; cat /etc/hostname"), "test-1.internal\n".repeat(2));
    assert_eq!(std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap(), machine);
    let by_name = fixture.run(&spec.id, "getent hosts test-1 test-1.internal | cut -d' ' -f1");
    assert_eq!(by_name, format!("{0}\n{0}\n", spec.address));
    assert_eq!(fixture.code(&spec.id, "echo x > /dev/null && test -c /dev/urandom"), 0);
    assert_ne!(fixture.code(&spec.id, "ls /dev/vda /dev/sda /dev/mem /dev/kmsg 2>/dev/null"), 0);
    let mode = fixture.run(&spec.id, "stat -c %a / /tmp /run; umask");
    assert_eq!(mode, "755\n1777\n755\n0022\n");
    fixture.close();
}

fn provisioned_files_are_there() {
    let fixture = Fixture::open();
    let mut spec = fixture.spec(1);
    let file = |path: &str, mode, source| ProvisionedFile { path: path.into(), mode, source };
    spec.files = vec![
        file("/opt/new/dir/conf.yml", 0o640, FileSource::Contents(b"a: 1\n".to_vec())),
        file("/opt/new/os", 0o755, FileSource::Machine("/etc/os-release".into())),
        file(
            "/etc/init.d/codedeploy-agent",
            0o755,
            FileSource::Contents(
                b"#!/bin/sh\ncat /opt/new/dir/conf.yml > /root/booted\nenv >> /root/booted\n"
                    .to_vec(),
            ),
        ),
    ];
    spec.environment = vec![("AWS_ENDPOINT_URL".into(), "http://10.0.0.1:1".into())];
    fixture.start(&spec);
    assert_eq!(fixture.run(&spec.id, "stat -c '%a %U' /opt/new/dir/conf.yml"), "640 root\n");
    let machine = std::fs::read_to_string("/etc/os-release").unwrap();
    assert_eq!(fixture.run(&spec.id, "cat /opt/new/os"), machine);
    let booted = eventually(|| {
        let text = fixture.run(&spec.id, "cat /root/booted 2>/dev/null; true");
        text.contains("AWS_ENDPOINT_URL").then_some(text)
    });
    assert!(booted.starts_with("a: 1\n"), "{booted}");
    assert!(booted.contains("AWS_ENDPOINT_URL=http://10.0.0.1:1\n"), "{booted}");

    let mut bad = fixture.spec(2);
    bad.files = vec![file("/opt/../etc/x", 0o644, FileSource::Contents(vec![]))];
    let error = fixture.block_on(fixture.hosts().start(&bad)).unwrap_err();
    assert!(matches!(error, ComputeError::FilePathUnfit(_)), "{error}");
    let mut bad = fixture.spec(2);
    bad.files = vec![file("/opt/x", 0o644, FileSource::Machine("/no/such/file".into()))];
    let error = fixture.block_on(fixture.hosts().start(&bad)).unwrap_err();
    assert!(error.to_string().contains("/no/such/file"), "{error}");
    // What did not start left nothing: the same instance can be started again.
    bad.files.clear();
    fixture.start(&bad);
    fixture.close();
}

fn tcp(port: u16, source: Cidr) -> Ingress {
    Ingress { protocol: Protocol::Tcp, from_port: Some(port), to_port: Some(port), source }
}

/// A server inside the instance that answers every connection with one line and then what it is sent.
fn serve(fixture: &Fixture, spec: &InstanceSpec, port: u16) {
    let script = format!(
        "import socketserver
class H(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b'hello\\n')
        for line in self.rfile: self.wfile.write(line)
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(('0.0.0.0', {port}), H).serve_forever()"
    );
    fixture.run(&spec.id, &format!("nohup python3 -c \"{script}\" >/dev/null 2>&1 & true"));
    let listening = format!("grep -q ':{port:04X} .* 0A ' /proc/net/tcp");
    eventually(|| (fixture.code(&spec.id, &listening) == 0).then_some(()));
}

fn connect(address: Ipv4Addr, port: u16) -> std::io::Result<TcpStream> {
    let to = SocketAddr::V4(SocketAddrV4::new(address, port));
    let stream = TcpStream::connect_timeout(&to, Duration::from_millis(400))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    Ok(stream)
}

fn read_line(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut buffer = [0; 100];
    let count = stream.read(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..count]).into_owned())
}

fn a_port_opens_with_its_rule() {
    let fixture = Fixture::open();
    let spec = fixture.spec(1);
    fixture.start(&spec);
    serve(&fixture, &spec, 8080);
    let error = connect(spec.address, 8080).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "{error}");

    fixture.ingress(&[(spec.address, vec![tcp(8080, Cidr::ANYWHERE)])]);
    assert_eq!(read_line(&mut connect(spec.address, 8080).unwrap()).unwrap(), "hello\n");
    let error = connect(spec.address, 8081).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "{error}");

    // The machine comes from the gateway's address; a rule for somebody else does not let it in.
    let somebody = Cidr::host(Ipv4Addr::new(192, 0, 2, 77));
    fixture.ingress(&[(spec.address, vec![tcp(8080, somebody)])]);
    assert!(connect(spec.address, 8080).is_err());
    let machine = Cidr::host(fixture.hosts().gateway());
    let other = (spec.address, vec![tcp(22, machine)]);
    fixture.ingress(&[other, (spec.address, vec![tcp(8080, machine)])]);
    assert!(connect(spec.address, 8080).is_ok());
    fixture.ingress(&[]);
    assert!(connect(spec.address, 8080).is_err());
    fixture.close();
}

fn connections_outlive_their_rule() {
    let fixture = Fixture::open();
    let spec = fixture.spec(1);
    fixture.start(&spec);
    serve(&fixture, &spec, 8080);
    fixture.ingress(&[(spec.address, vec![tcp(8080, Cidr::ANYWHERE)])]);
    let mut open = connect(spec.address, 8080).unwrap();
    assert_eq!(read_line(&mut open).unwrap(), "hello\n");
    fixture.ingress(&[]);
    open.write_all(b"still there\n").unwrap();
    assert_eq!(read_line(&mut open).unwrap(), "still there\n");
    fixture.close();
}

fn instances_are_filtered() {
    let fixture = Fixture::open();
    let (one, two) = (fixture.spec(1), fixture.spec(2));
    fixture.start(&one);
    fixture.start(&two);
    serve(&fixture, &one, 8080);
    let ask = format!("timeout 1 bash -c 'read line </dev/tcp/{}/8080 && echo $line'", one.address);
    assert_ne!(fixture.code(&two.id, &ask), 0, "reached without a rule");
    fixture.ingress(&[(one.address, vec![tcp(8080, Cidr::host(two.address))])]);
    assert_eq!(fixture.run(&two.id, &ask), "hello\n");
    // The rule is for that one instance: neither the machine nor a third one gets in.
    assert!(connect(one.address, 8080).is_err());
    let three = fixture.spec(3);
    fixture.start(&three);
    assert_ne!(fixture.code(&three.id, &ask), 0);
    fixture.close();
}

fn only_allowed_ports() {
    let fixture = Fixture::open();
    let spec = fixture.spec(1);
    fixture.start(&spec);
    let gateway = fixture.hosts().gateway();
    let ask = |port: u16| format!("timeout 1 bash -c 'exec 3<>/dev/tcp/{gateway}/{port}'");
    let _allowed = TcpListener::bind((gateway, machine::ALLOWED_PORT)).unwrap();
    assert_eq!(fixture.code(&spec.id, &ask(machine::ALLOWED_PORT)), 0);
    let other = TcpListener::bind((gateway, 0)).unwrap();
    assert_ne!(fixture.code(&spec.id, &ask(other.local_addr().unwrap().port())), 0);
    fixture.close();
}

fn no_foreign_address() {
    let fixture = Fixture::open();
    let (one, two) = (fixture.spec(1), fixture.spec(2));
    fixture.start(&one);
    fixture.start(&two);
    let receiver = std::net::UdpSocket::bind((fixture.hosts().gateway(), 0)).unwrap();
    receiver.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let script = format!(
        "import socket, struct
def packet(source):
    udp = struct.pack('!HHHH', 7, {port}, 10, 0) + b'hi'
    head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(udp), 1, 0, 9, 17, 0)
    return head + socket.inet_aton(source) + socket.inet_aton('{gateway}') + udp
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for source in ['{one}', '{two}']:
    s.sendto(packet(source), ('{gateway}', 0))",
        port = receiver.local_addr().unwrap().port(),
        gateway = fixture.hosts().gateway(),
        one = one.address,
        two = two.address,
    );
    let counter = || machine::dropped_by_spoofing_rule(&fixture);
    let before = counter();
    fixture.run(&two.id, &format!("python3 -c \"{script}\""));
    eventually(|| (counter() != before).then_some(()));
    assert!(
        receiver.recv(&mut [0; 10]).is_err(),
        "no UDP port of the machine is open to instances"
    );
    fixture.close();
}

fn a_fork_bomb_stays_inside() {
    if !machine::counts_processes() {
        println!("skipped: no control group hierarchy with the pids controller");
        return;
    }
    let fixture = Fixture::open();
    let spec = fixture.spec(1);
    fixture.start(&spec);
    let bomb = format!(
        "python3 -c \"
import os, signal
children = []
try:
    for _ in range({}):
        child = os.fork()
        if child == 0: signal.pause()
        children.append(child)
finally:
    for child in children: os.kill(child, 9)\" 2>&1 | tail -1",
        machine::PROCESSES_MAX + 1
    );
    let said = fixture.run(&spec.id, &bomb);
    assert!(said.contains("Resource temporarily unavailable"), "{said}");
    fixture.close();
}

fn metadata_is_asked_for_inside() {
    let fixture = Fixture::open();
    let (one, two) = (fixture.spec(1), fixture.spec(2));
    let metadata = [fixture.start(&one).metadata, fixture.start(&two).metadata];
    // What an instance itself serves at port 80 of all its addresses is no matter of its metadata's.
    serve(&fixture, &one, 80);
    for (listener, name) in metadata.into_iter().zip(["one", "two"]) {
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            writeln!(stream, "{name}").unwrap();
        });
    }
    let ask = "timeout 2 bash -c 'read line </dev/tcp/169.254.169.254/80 && echo $line'";
    assert_eq!(fixture.run(&two.id, ask), "two\n");
    assert_eq!(fixture.run(&one.id, ask), "one\n");
    fixture.close();
}

fn user_data_runs_once() {
    let fixture = Fixture::open();
    let mut spec = fixture.spec(1);
    spec.user_data = Some(b"#!/bin/bash\necho run by $(id -un)\necho x >> /root/runs\n".to_vec());
    fixture.start(&spec);
    let log = "cat /var/log/cloud-init-output.log 2>/dev/null; true";
    eventually(|| (fixture.run(&spec.id, log) == "run by root\n").then_some(()));
    fixture.block_on(fixture.hosts().stop(&spec.id)).unwrap();
    // A boot service that ends tells that the second start has come as far.
    spec.files = vec![ProvisionedFile {
        path: "/etc/init.d/codedeploy-agent".into(),
        mode: 0o755,
        source: FileSource::Contents(b"#!/bin/sh\ntouch /root/second\n".to_vec()),
    }];
    fixture.start(&spec);
    eventually(|| (fixture.code(&spec.id, "test -e /root/second") == 0).then_some(()));
    assert_eq!(fixture.run(&spec.id, "cat /root/runs"), "x\n");

    let mut plain = fixture.spec(2);
    plain.user_data = Some(b"just text".to_vec());
    fixture.start(&plain);
    assert_ne!(fixture.code(&plain.id, "test -s /var/log/cloud-init-output.log"), 0);
    fixture.close();
}

fn stop_keeps_the_disk() {
    let fixture = Fixture::open();
    let spec = fixture.spec(1);
    let pid = fixture.start(&spec).pid;
    fixture.run(
        &spec.id,
        "echo kept > /root/kept; trap '' TERM; nohup sleep 600 >/dev/null 2>&1 & true",
    );
    let error = fixture.block_on(fixture.hosts().start(&spec)).unwrap_err();
    assert!(matches!(error, ComputeError::AlreadyRunning(_)), "{error}");
    let mut other = fixture.spec(2);
    other.address = spec.address;
    let error = fixture.block_on(fixture.hosts().start(&other)).unwrap_err();
    assert!(matches!(error, ComputeError::AddressTaken { .. }), "{error}");

    let hosts = fixture.hosts();
    fixture.block_on(hosts.stop(&spec.id)).unwrap();
    fixture.block_on(hosts.stop(&spec.id)).unwrap();
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    fixture.assert_nothing_runs();
    let error = fixture.enter(&spec.id, &["true".to_owned()]).unwrap_err();
    assert!(matches!(error, ComputeError::NotRunning(_)), "{error}");

    fixture.start(&spec);
    assert_eq!(fixture.run(&spec.id, "cat /root/kept"), "kept\n");
    fixture.block_on(hosts.terminate(&spec.id)).unwrap();
    fixture.block_on(hosts.terminate(&spec.id)).unwrap();
    fixture.assert_nothing_runs();
    assert_eq!(std::fs::read_dir(fixture.state().join("instances")).unwrap().count(), 0);
    fixture.start(&spec);
    assert_ne!(fixture.code(&spec.id, "test -e /root/kept"), 0);
    fixture.close();
}

fn exits_are_told() {
    let fixture = Fixture::open();
    let spec = fixture.spec(1);
    fixture.start(&spec);
    fixture.code(&spec.id, "kill -TERM 1");
    assert_eq!(fixture.next_exit(), spec.id);
    fixture.assert_nothing_runs();
    // And one that is killed from the machine, at once.
    let pid = fixture.start(&spec).pid;
    Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert_eq!(fixture.next_exit(), spec.id);
    fixture.close();
}

fn entering() {
    let fixture = Fixture::open();
    let mut spec = fixture.spec(1);
    spec.environment = vec![("ONE".into(), "1".into())];
    fixture.start(&spec);
    let enter = |argv: &[&str]| {
        let argv: Vec<_> = argv.iter().map(ToString::to_string).collect();
        fixture.enter(&spec.id, &argv).unwrap()
    };
    assert_eq!(enter(&["true"]), 0);
    assert_eq!(enter(&["sh", "-c", "exit 42"]), 42);
    assert_eq!(enter(&["sh", "-c", "kill -9 $$"]), 137);
    assert_eq!(enter(&["no-such-program"]), 127);
    assert_eq!(enter(&["/etc/hostname"]), 126);
    assert_eq!(fixture.run(&spec.id, "echo $ONE $EXTRA; pwd"), "1 extra\n/root\n");
    let mut child = fixture.shell(&spec.id, "cat").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"through\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "through\n");

    // Whoever gives up waiting takes the program along.
    let child = fixture.shell(&spec.id, "exec sleep 4711").spawn().unwrap();
    let runs = || {
        fixture.code(&spec.id, "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -q 'sleep 471[1]'")
            == 0
    };
    eventually(|| runs().then_some(()));
    machine::end(child);
    eventually(|| (!runs()).then_some(()));
    let unknown: InstanceId = "i-00000000".parse().unwrap();
    let error = fixture.enter(&unknown, &[]).unwrap_err();
    assert!(matches!(error, ComputeError::NotRunning(_)), "{error}");
    fixture.close();
}

fn adoption() {
    let fixture = Fixture::new();
    let mut owner = fixture.owner(2);
    let lines = owner.started();
    let pids: Vec<u32> = lines.iter().map(|line| line.parse().unwrap()).collect();
    let (one, two) = (fixture.id(1), fixture.id(2));
    assert!(matches!(fixture.try_open(), Err(ComputeError::InUse(_))));
    fixture.run(&one, "echo before > /root/mark");
    owner.kill();
    // One dies while nobody looks.
    Command::new("kill").args(["-9", &pids[1].to_string()]).status().unwrap();
    eventually(|| {
        (!std::path::Path::new(&format!("/proc/{}/ns/net", pids[1])).exists()).then_some(())
    });

    let adopted = fixture.reopen();
    assert_eq!(adopted.len(), 1);
    let adopted = adopted.into_iter().next().unwrap();
    assert_eq!((&adopted.id, adopted.running.pid), (&one, pids[0]));
    assert_eq!(
        (adopted.address, adopted.hostname.as_str()),
        (fixture.spec(1).address, "test-1.internal")
    );
    assert_eq!(fixture.run(&one, "cat /root/mark"), "before\n");
    let ask = "timeout 2 bash -c 'read line </dev/tcp/169.254.169.254/80 && echo $line'";
    let listener = adopted.running.metadata;
    std::thread::spawn(move || writeln!(listener.accept().unwrap().0, "adopted").unwrap());
    assert_eq!(fixture.run(&one, ask), "adopted\n");
    // The dead one's disk is still there, and it starts again beside the adopted one.
    fixture.start(&fixture.spec(2));
    assert_eq!(fixture.run(&two, "uname -n"), "test-2.internal\n");
    // The adopted one is watched like any other.
    Command::new("kill").args(["-9", &pids[0].to_string()]).status().unwrap();
    assert_eq!(fixture.next_exit(), one);
    fixture.close();
}

fn a_start_cut_short() {
    let fixture = Fixture::new();
    for delay in [0, 2, 5, 10, 15, 20, 30, 45, 60] {
        let mut owner = fixture.owner(3);
        owner.begun();
        std::thread::sleep(Duration::from_millis(delay));
        owner.kill();
        let adopted = fixture.reopen();
        let ids: Vec<_> = adopted.iter().map(|instance| instance.id.clone()).collect();
        for id in &ids {
            assert_eq!(fixture.run(id, "echo up"), "up\n", "adopted, but not up");
        }
        for number in 1..=3 {
            let spec = fixture.spec(number);
            if !ids.contains(&spec.id) {
                fixture.start(&spec);
            }
            fixture.block_on(fixture.hosts().terminate(&spec.id)).unwrap();
        }
        fixture.assert_nothing_runs();
        fixture.close_but_keep();
    }
}

fn ten_start_at_once() {
    let (fixture, other) = (Fixture::open(), Fixture::open());
    let specs: Vec<_> = (1..=10).map(|number| fixture.spec(number)).collect();
    let begin = Instant::now();
    let hosts = fixture.hosts();
    let all = futures::future::join_all(specs.iter().map(|spec| hosts.start(spec)));
    let running: Vec<_> = fixture.block_on(all).into_iter().map(Result::unwrap).collect();
    println!("ten instances running after {} ms", begin.elapsed().as_millis());
    let rules: Vec<_> =
        specs.iter().map(|spec| (spec.address, vec![tcp(9, Cidr::ANYWHERE)])).collect();
    fixture.ingress(&rules);
    for spec in &specs {
        // Refused: reached, and nothing listens there.
        let error = connect(spec.address, 9).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused, "{error}");
    }
    assert_eq!(running.len(), 10);

    assert_ne!(fixture.hosts().gateway(), other.hosts().gateway());
    let same_id = other.spec(1);
    other.start(&same_id);
    other.close();
    assert_eq!(fixture.run(&specs[0].id, "echo still here"), "still here\n");
    fixture.close();
}
