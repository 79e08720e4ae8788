//! Several hosts on one machine: network namespaces, each with an interface of its own, and a router between them.
//!
//! ```text
//!   10.77.1.2 ──veth──┐
//!   10.77.2.2 ──veth──┼─ router (10.77.n.1)
//!   10.77.3.2 ──veth──┘
//! ```
//!
//! Nothing of the machine's own network is touched. Where namespaces are not permitted, [`Network::new`] says why.

use std::net::Ipv4Addr;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Hosts behind one router. Everything goes when this is dropped; end the processes inside first.
pub struct Network {
    router: String,
    hosts: Vec<String>,
}

/// One host of a [`Network`], by its number from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostId(u8);

impl HostId {
    /// The address that the host has at first.
    pub fn addr(self) -> Ipv4Addr {
        self.at(2)
    }

    /// Another address in the host's own network: 2 and above are free for it.
    pub fn at(self, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, self.0, last)
    }

    fn gateway(self) -> Ipv4Addr {
        self.at(1)
    }

    /// Of the host, inside it.
    pub const DEVICE: &'static str = "up0";

    fn routers_device(self) -> String {
        format!("host{}", self.0)
    }
}

impl Network {
    /// A router and so many hosts.
    ///
    /// # Errors
    /// Why this machine permits none, or knows none: not the superuser, no `ip`, a kernel without them.
    pub fn new(hosts: u8) -> Result<Self> {
        sweep();
        let prefix = format!("{PREFIX}{}", std::process::id());
        let mut network = Self {
            router: format!("{prefix}-r"),
            hosts: Vec::new(),
        };
        run(&["netns", "add", &network.router])?;
        network.inside_router(&["link", "set", "lo", "up"])?;
        network.forward()?;
        for n in 1..=hosts {
            network.add(HostId(n), format!("{prefix}-{n}"))?;
        }
        Ok(network)
    }

    fn forward(&self) -> Result<()> {
        exec(&self.router, &["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
    }

    fn add(&mut self, id: HostId, netns: String) -> Result<()> {
        run(&["netns", "add", &netns])?;
        self.hosts.push(netns);
        let (netns, device) = (self.netns(id).to_owned(), id.routers_device());
        run(&[
            "-n",
            &self.router,
            "link",
            "add",
            &device,
            "type",
            "veth",
            "peer",
            "name",
            HostId::DEVICE,
            "netns",
            &netns,
        ])?;
        let net = |addr: Ipv4Addr| format!("{addr}/24");
        self.inside_router(&["addr", "add", &net(id.gateway()), "dev", &device])?;
        self.inside_router(&["link", "set", &device, "up"])?;
        self.inside(id, &["link", "set", "lo", "up"])?;
        self.inside(id, &["addr", "add", &net(id.addr()), "dev", HostId::DEVICE])?;
        self.up(id)
    }

    /// All hosts.
    pub fn ids(&self) -> impl Iterator<Item = HostId> + use<> {
        (1..=u8::try_from(self.hosts.len()).unwrap_or(u8::MAX)).map(HostId)
    }

    /// The namespace's name, for `ip netns exec`.
    pub fn netns(&self, id: HostId) -> &str {
        &self.hosts[usize::from(id.0) - 1]
    }

    /// Pulls the plug: the interface goes down, and its routes with it.
    ///
    /// # Errors
    /// From `ip`.
    pub fn down(&self, id: HostId) -> Result<()> {
        self.inside(id, &["link", "set", HostId::DEVICE, "down"])
    }

    /// Plugs it in again.
    ///
    /// # Errors
    /// From `ip`.
    pub fn up(&self, id: HostId) -> Result<()> {
        self.inside(id, &["link", "set", HostId::DEVICE, "up"])?;
        self.inside(id, &["route", "replace", "default", "via", &id.gateway().to_string()])
    }

    /// Gives the host another address in place of the one it has, as DHCP may.
    ///
    /// # Errors
    /// From `ip`.
    pub fn readdress(&self, id: HostId, old: Ipv4Addr, new: Ipv4Addr) -> Result<()> {
        self.inside(id, &["addr", "del", &format!("{old}/24"), "dev", HostId::DEVICE])?;
        self.inside(id, &["addr", "add", &format!("{new}/24"), "dev", HostId::DEVICE])?;
        self.inside(id, &["route", "replace", "default", "via", &id.gateway().to_string()])
    }

    /// The router no longer knows the way to the host.
    ///
    /// # Errors
    /// From `ip`.
    pub fn unroute(&self, id: HostId) -> Result<()> {
        self.inside_router(&["route", "del", &format!("{}/24", id.at(0))])
    }

    /// The router knows it again.
    ///
    /// # Errors
    /// From `ip`.
    pub fn route(&self, id: HostId) -> Result<()> {
        let device = id.routers_device();
        self.inside_router(&["route", "replace", &format!("{}/24", id.at(0)), "dev", &device])
    }

    /// Shapes what the host sends, with arguments of `tc qdisc` such as `netem loss 20%`.
    ///
    /// # Errors
    /// When there is no `tc`, or the kernel does not know the discipline.
    pub fn shape(&self, id: HostId, discipline: &[&str]) -> Result<()> {
        let args = ["tc", "qdisc", "replace", "dev", HostId::DEVICE, "root"];
        exec(self.netns(id), &[&args, discipline].concat())
    }

    fn inside(&self, id: HostId, args: &[&str]) -> Result<()> {
        run(&[&["-n", self.netns(id)], args].concat())
    }

    fn inside_router(&self, args: &[&str]) -> Result<()> {
        run(&[&["-n", self.router.as_str()], args].concat())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for netns in self.hosts.iter().chain([&self.router]) {
            // The last word on a machine where nothing can be done about it.
            let _ = run(&["netns", "del", netns]);
        }
    }
}

const PREFIX: &str = "cunlian-";

/// Removes what runs that were killed have left behind.
fn sweep() {
    let Ok(folder) = std::fs::read_dir("/run/netns") else {
        return;
    };
    for entry in folder.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if pid.is_some_and(|pid| !std::path::Path::new("/proc").join(pid).exists()) {
            let _ = run(&["netns", "del", &name]);
        }
    }
}

fn run(args: &[&str]) -> Result<()> {
    succeed("ip", args)
}

fn exec(netns: &str, args: &[&str]) -> Result<()> {
    succeed("ip", &[&["netns", "exec", netns], args].concat())
}

fn succeed(program: &str, args: &[&str]) -> Result<()> {
    let asked = format!("{program} {}", args.join(" "));
    let output = Command::new(program).args(args).output().context(asked.clone())?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{asked}: {}", told.trim());
    Ok(())
}
