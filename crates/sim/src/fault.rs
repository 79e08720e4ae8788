//! Every kind of fault that is injected, and how often it has been.

use std::collections::BTreeMap;
use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $label:literal,)*) => {
        /// What may befall a county.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// All kinds, in the order of the table.
            pub const ALL: &[Kind] = &[$(Kind::$name,)*];

            /// The kind in a few words.
            pub fn label(self) -> &'static str {
                match self { $(Kind::$name => $label,)* }
            }
        }
    };
}

kinds! {
    /// Lines: a packet is lost and comes again after a timeout.
    PacketLost = "packet lost",
    PacketDuplicated = "packet duplicated",
    PacketReordered = "packet overtaken by others",
    /// The delay of a line grows to that of a satellite or worse.
    LineSlow = "line slowed down",
    LineCut = "line cut both ways",
    LineCutOneWay = "line cut one way",
    /// Both ways cut, like any other cut: QUIC has nothing beside UDP. That nothing else of a line is used is told over real sockets.
    UdpBlocked = "UDP blocked",
    /// From a day up to as long as the whole story.
    LongOutage = "outage of days or weeks",
    /// A connection ends while bytes of a frame are on their way.
    FrameTorn = "connection lost within a frame",
    ConnectionLost = "connection lost",
    /// Clocks.
    ClockForward = "clock jumps forward",
    ClockBack = "clock jumps back",
    ClockYears = "clock is years off",
    ClockStill = "clock stands still",
    ClockDrift = "clock drifts",
    BatteryDead = "clock battery dead",
    /// Disks.
    PowerCut = "power cut",
    PowerCutInStep = "power cut after n disk operations",
    WriteLost = "unsynced write lost",
    WriteTorn = "unsynced write torn",
    NameLost = "unsynced name lost",
    BitRot = "bit rotted",
    DiskFull = "disk full",
    SyncFailed = "sync failed",
    ReadFailed = "read failed (EIO)",
    WriteFailed = "write failed (EIO)",
    IndexLost = "index lost or rolled back",
    /// Processes.
    Killed = "process killed",
    /// In the midst of its writes, which the system keeps.
    KilledInStep = "process killed after n disk operations",
    Stopped = "process stopped in order",
    DiskSlow = "disk slow",
    /// Membership: of `malice.rs`.
    Cloned = "PC cloned",
    RoomRestored = "room restored from a backup",
    HubRestored = "hub restored from a backup",
    Stolen = "PC stolen and revoked",
    HubRebuilt = "hub deleted and rebuilt",
    RoomMoved = "room moved to another hub",
    HubDropped = "dishonest hub drops a frame",
    HubDelayed = "dishonest hub delays a frame",
    HubAltered = "dishonest hub alters a frame",
    /// Only the name: programs that are apart are told in tests of their own, over folders of the earlier version.
    VersionNamed = "program calls itself another version",
    HubDoubled = "dishonest hub doubles a frame",
    HubSwapped = "dishonest hub swaps two frames",
    HubCloned = "hub cloned",
    Suspended = "PC cloned so often that it is suspended",
    Extended = "revoked device's entries let count after all",
    Replaced = "stolen PC replaced by a new one",
    RoomLost = "room's disk dead, new ticket",
    CountyRebuilt = "county hub burnt, a second one takes over",
    SecondWay = "township down, room straight to the county",
    LaterEntry = "entry of a later version",
    Forged = "entry forged by a member",
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// How often each kind was injected.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Faults(BTreeMap<Kind, u64>);

impl Faults {
    /// One more.
    pub fn note(&mut self, kind: Kind) {
        self.add(kind, 1);
    }

    /// So many more.
    pub fn add(&mut self, kind: Kind, count: u64) {
        if count > 0 {
            *self.0.entry(kind).or_default() += count;
        }
    }

    /// Those of another run as well.
    pub fn merge(&mut self, other: &Faults) {
        for (kind, count) in &other.0 {
            self.add(*kind, *count);
        }
    }

    /// How often one kind was injected.
    pub fn of(&self, kind: Kind) -> u64 {
        self.0.get(&kind).copied().unwrap_or(0)
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Every kind with its count, zero included, in the order of the table.
    pub fn table(&self) -> impl Iterator<Item = (Kind, u64)> + '_ {
        Kind::ALL.iter().map(|kind| (*kind, self.of(*kind)))
    }
}
