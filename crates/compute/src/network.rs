//! Links, addresses and routes: the bridge on the machine, and one pair of virtual Ethernet ends per instance.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, TcpListener};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use rtnetlink::packet_route::link::{
    BridgeStpState, InfoData, InfoKind, InfoVeth, LinkAttribute, LinkMessage,
};
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteScope};
use rtnetlink::{
    Handle, LinkBridge, LinkBridgePort, LinkMessageBuilder, LinkUnspec, LinkVeth,
    RouteMessageBuilder,
};

use crate::ComputeError;
use crate::namespaces::{in_network, in_new_network};
use crate::nft;
use crate::subnet::Cidr;

/// Where instances ask for their metadata. Source: EC2 user guide, "Access instance metadata".
const METADATA: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(169, 254, 169, 254), 80);

/// Where they are answered. Were it port 80, no program of the instance could listen there on all addresses. Above
/// the ports that the kernel gives out.
const METADATA_LISTENER: SocketAddrV4 = SocketAddrV4::new(*METADATA.ip(), 61_254);

/// A port of a bridge forwards when its state reads so. Source: `BR_STATE_FORWARDING` in linux/if_bridge.h.
const FORWARDING: &str = "3";

/// What one state directory's links and tables are called; an interface's name has at most 15 characters.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub bridge: String,
    /// What the names of the bridge's ports begin with.
    pub port: String,
    pub table: String,
    pub cgroup: String,
}

impl Names {
    pub fn new(tag: u32) -> Self {
        Self {
            bridge: format!("lsb-{tag:06x}"),
            port: format!("ls{tag:06x}"),
            table: format!("longshore_{tag:06x}"),
            cgroup: format!("longshore-{tag:06x}"),
        }
    }

    /// The machine's end of the link of the instance at `address`.
    pub fn port_of(&self, address: Ipv4Addr) -> String {
        format!("{}-{}", self.port, address.octets()[3])
    }
}

/// The machine's side of the network.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    handle: Handle,
    names: Names,
    subnet: Cidr,
    bridge_index: u32,
}

/// The address ranges that this machine uses, apart from those of our own bridge.
pub(crate) async fn used_ranges(names: &Names) -> Result<Vec<Cidr>, ComputeError> {
    let handle = connect().map_err(failed("speak to the kernel's network"))?;
    let own = index_of(&handle, &names.bridge).await.map_err(failed("look for the bridge"))?;
    let query = RouteMessageBuilder::<Ipv4Addr>::new().build();
    let routes: Vec<RouteMessage> = handle
        .route()
        .get(query)
        .execute()
        .try_collect()
        .await
        .map_err(|error| failed("read the machine's routes")(to_io(error)))?;
    Ok(routes.iter().filter_map(|route| used_range(route, own)).collect())
}

fn used_range(route: &RouteMessage, own: Option<u32>) -> Option<Cidr> {
    let ours = route
        .attributes
        .iter()
        .any(|attribute| matches!(attribute, RouteAttribute::Oif(index) if Some(*index) == own));
    let prefix = route.header.destination_prefix_length;
    // The default route uses no range.
    if ours || prefix == 0 {
        return None;
    }
    route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Destination(RouteAddress::Inet(address)) => {
            Some(Cidr::around(*address, prefix))
        }
        _ => None,
    })
}

impl Network {
    /// Makes the bridge, or takes the one that is there.
    pub async fn open(names: Names, subnet: Cidr) -> Result<Self, ComputeError> {
        let handle = connect().map_err(failed("speak to the kernel's network"))?;
        let bridge_index =
            open_bridge(&handle, &names.bridge, subnet).await.map_err(failed("make the bridge"))?;
        Ok(Self { handle, names, subnet, bridge_index })
    }

    /// The machine's address on the bridge.
    pub fn gateway(&self) -> Ipv4Addr {
        self.subnet.nth(1)
    }

    /// Connects the network name space of the process `pid` to the bridge, and opens the metadata socket in there.
    pub async fn attach(&self, address: Ipv4Addr, pid: u32) -> Result<TcpListener, ComputeError> {
        let what = || format!("connect {address} to the bridge");
        let port = self.names.port_of(address);
        self.detach(address).await?;
        self.add_port(&port, address, pid).await.map_err(failed(what()))?;
        let gateway = self.gateway();
        let namespace = open_network(pid)?;
        let listener = blocking(move || {
            in_network(namespace, move || {
                on_own_runtime(configure_instance(address, gateway))?;
                redirect_metadata()?;
                TcpListener::bind(METADATA_LISTENER)
            })
        })
        .await
        .map_err(failed(what()))?;
        self.raise_port(&port).await.map_err(failed(what()))?;
        Ok(listener)
    }

    async fn add_port(&self, port: &str, address: Ipv4Addr, pid: u32) -> io::Result<()> {
        // The far end is made where it belongs: moving it there takes the kernel longer than everything else.
        let peer = LinkUnspec::new_with_name("eth0")
            .address(hardware_address(address))
            .setns_by_pid(pid)
            .build();
        let pair = LinkMessageBuilder::<LinkVeth>::new_with_info_kind(InfoKind::Veth)
            .name(port)
            .controller(self.bridge_index)
            .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
            .build();
        self.handle.link().add(pair).execute().await.map_err(to_io)?;
        let index = index_of(&self.handle, port).await?.ok_or(io::ErrorKind::NotFound)?;
        let isolated = LinkBridgePort::new(index).isolated(true).build();
        self.handle.link().set_port(isolated).execute().await.map_err(to_io)
    }

    /// Lets the port forward. Only afterwards the instance may be called: an address asked for earlier stays
    /// unresolved for a whole second.
    async fn raise_port(&self, port: &str) -> io::Result<()> {
        self.handle
            .link()
            .set(LinkUnspec::new_with_name(port).up().build())
            .execute()
            .await
            .map_err(to_io)?;
        let state = format!("/sys/class/net/{port}/brport/state");
        let begin = Instant::now();
        while fs::read_to_string(&state)?.trim() != FORWARDING {
            if begin.elapsed() > Duration::from_secs(3) {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the link does not come up"));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Takes the instance at `address` off the bridge; nothing to do is success.
    pub async fn detach(&self, address: Ipv4Addr) -> Result<(), ComputeError> {
        self.remove_link(&self.names.port_of(address)).await
    }

    /// Takes everything off the bridge but the instances at `keep`.
    pub async fn detach_all_but(&self, keep: &[Ipv4Addr]) -> Result<(), ComputeError> {
        let keep: Vec<_> = keep.iter().map(|address| self.names.port_of(*address)).collect();
        let beginning = format!("{}-", self.names.port);
        let links: Vec<LinkMessage> = self
            .handle
            .link()
            .get()
            .execute()
            .try_collect()
            .await
            .map_err(|error| failed("read the machine's links")(to_io(error)))?;
        for name in links.iter().filter_map(link_name) {
            if name.starts_with(&beginning) && !keep.iter().any(|kept| kept == name) {
                self.remove_link(name).await?;
            }
        }
        Ok(())
    }

    /// Removes the bridge.
    pub async fn close(&self) -> Result<(), ComputeError> {
        self.remove_link(&self.names.bridge).await
    }

    async fn remove_link(&self, name: &str) -> Result<(), ComputeError> {
        let message = LinkUnspec::new_with_name(name).build();
        match self.handle.link().del_with_message(message).execute().await.map_err(to_io) {
            Err(error) if !is_absent(&error) => Err(failed(format!("remove link {name}"))(error)),
            _ => Ok(()),
        }
    }
}

/// Opens the metadata socket of an instance that runs already.
pub(crate) async fn metadata_listener(pid: u32) -> Result<TcpListener, ComputeError> {
    let namespace = open_network(pid)?;
    blocking(move || in_network(namespace, || TcpListener::bind(METADATA_LISTENER)))
        .await
        .map_err(failed(format!("listen at {METADATA_LISTENER} in the network of process {pid}")))
}

/// Makes a bridge and a pair of links where nobody sees them, to know whether the kernel can.
pub(crate) fn try_links() -> io::Result<()> {
    in_new_network(|| {
        on_own_runtime(async {
            let handle = connect()?;
            let bridge = LinkBridge::new("lsb-check").build();
            let pair = LinkVeth::new("ls-check-0", "ls-check-1").build();
            for link in [bridge, pair] {
                handle.link().add(link).execute().await.map_err(to_io)?;
            }
            Ok(())
        })
    })
}

fn open_network(pid: u32) -> Result<File, ComputeError> {
    let path = format!("/proc/{pid}/ns/net");
    File::open(&path).map_err(ComputeError::file("open", path))
}

async fn blocking<T: Send + 'static>(
    body: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(body)
        .await
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Runs inside the instance's network. Its address has no neighbours, so that everything goes through the machine.
async fn configure_instance(address: Ipv4Addr, gateway: Ipv4Addr) -> io::Result<()> {
    // The filter knows IPv4 only, so nothing else may leave; loopback keeps both.
    put_setting("ipv6", "eth0", "disable_ipv6", "1")?;
    put_setting("ipv4", "all", "accept_redirects", "0")?;
    put_setting("ipv4", "eth0", "accept_redirects", "0")?;
    let handle = connect()?;
    let loopback = up(&handle, "lo").await?;
    let addresses = handle.address();
    addresses.add(loopback, IpAddr::V4(*METADATA.ip()), 32).execute().await.map_err(to_io)?;
    let ethernet = up(&handle, "eth0").await?;
    addresses.add(ethernet, IpAddr::V4(address), 32).execute().await.map_err(to_io)?;
    let to_gateway = RouteMessageBuilder::<Ipv4Addr>::new()
        .destination_prefix(gateway, 32)
        .output_interface(ethernet)
        .scope(RouteScope::Link)
        .build();
    let default =
        RouteMessageBuilder::<Ipv4Addr>::new().gateway(gateway).output_interface(ethernet).build();
    for route in [to_gateway, default] {
        handle.route().add(route).execute().await.map_err(to_io)?;
    }
    Ok(())
}

/// Runs inside the instance's network, whose root has not the power to change it.
fn redirect_metadata() -> io::Result<()> {
    let (address, port) = (METADATA.ip(), METADATA.port());
    let rules = format!(
        "table ip metadata {{
  chain output {{
    type nat hook output priority -100; policy accept;
    ip daddr {address} tcp dport {port} dnat to {METADATA_LISTENER}
  }}
}}"
    );
    nft::apply(&rules).map_err(io::Error::other)
}

async fn open_bridge(handle: &Handle, name: &str, subnet: Cidr) -> io::Result<u32> {
    let index = match index_of(handle, name).await? {
        Some(index) => index,
        None => {
            let bridge =
                LinkBridge::new(name).stp_state(BridgeStpState::Disabled).mcast_snooping(false);
            handle.link().add(bridge.build()).execute().await.map_err(to_io)?;
            index_of(handle, name).await?.ok_or(io::ErrorKind::NotFound)?
        }
    };
    put_setting("ipv6", name, "disable_ipv6", "1")?;
    // From one instance to another, on this link only; the machine as a whole becomes no router.
    put_setting("ipv4", name, "forwarding", "1")?;
    put_setting("ipv4", name, "send_redirects", "0")?;
    handle
        .address()
        .add(index, IpAddr::V4(subnet.nth(1)), subnet.prefix())
        .replace()
        .execute()
        .await
        .map_err(to_io)?;
    up(handle, name).await
}

/// Switches the link on and answers its index.
async fn up(handle: &Handle, name: &str) -> io::Result<u32> {
    let message = LinkUnspec::new_with_name(name).up().build();
    handle.link().set(message).execute().await.map_err(to_io)?;
    index_of(handle, name).await?.ok_or_else(|| io::ErrorKind::NotFound.into())
}

async fn index_of(handle: &Handle, name: &str) -> io::Result<Option<u32>> {
    let found = handle.link().get().match_name(name.to_owned()).execute().try_collect().await;
    match found.map_err(to_io) {
        Ok(links) => {
            let links: Vec<LinkMessage> = links;
            Ok(links.first().map(|link| link.header.index))
        }
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn link_name(link: &LinkMessage) -> Option<&str> {
    link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.as_str()),
        _ => None,
    })
}

/// A setting of one link. The kernel shows each thread those of the network that the thread is in. A kernel without
/// IPv6 has none to switch off.
fn put_setting(family: &str, link: &str, name: &str, value: &str) -> io::Result<()> {
    let path = format!("/proc/sys/net/{family}/conf/{link}/{name}");
    if family == "ipv6" && !fs::exists("/proc/sys/net/ipv6")? {
        return Ok(());
    }
    fs::write(&path, value)
        .map_err(|error| io::Error::new(error.kind(), format!("setting `{path}`: {error}")))
}

/// Derived from the address, so that a neighbour that knew the last instance at this address knows this one too.
fn hardware_address(address: Ipv4Addr) -> Vec<u8> {
    // 02: locally administered.
    [&[0x02, 0x4c], address.octets().as_slice()].concat()
}

/// A connection to the network of the calling thread, served by the calling task's runtime.
fn connect() -> io::Result<Handle> {
    let (connection, handle, _) = rtnetlink::new_connection()?;
    tokio::spawn(connection);
    Ok(handle)
}

fn on_own_runtime<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(work)
}

fn to_io(error: rtnetlink::Error) -> io::Error {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.to_io(),
        other => io::Error::other(other),
    }
}

/// `ENODEV`: no such link.
fn is_absent(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error())
}

fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> ComputeError {
    let what = what.into();
    move |source| ComputeError::Network(what, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_name_fits_the_kernel() {
        let names = Names::new(0xff_ffff);
        let longest = names.port_of(Ipv4Addr::new(10, 255, 255, 254));
        assert!(longest.len() <= 15 && names.bridge.len() <= 15, "{longest} {}", names.bridge);
    }
}
