//! The small door to the index: one ordered map of bytes, derived from the journal and free to be lost.
//!
//! The store's own rows begin with a byte below [`OFFICE_KEYS_FROM`]; all others are the office's.

mod mem;
mod sled;

pub use self::sled::SledPlace;
pub use mem::MemPlace;

/// Keys of the office's rows begin with this byte or a greater one.
pub const OFFICE_KEYS_FROM: u8 = b' ';
/// Rows that begin with this byte do not follow from the journal (what peers told of themselves, second copies): they outlive a
/// rebuild where they can still be read.
pub const KEPT_KEYS: u8 = b'p';

/// The index failed. Nothing is lost by it: it is wiped and made anew from the journal.
#[derive(Debug, thiserror::Error)]
#[error("the index failed: {0}")]
pub struct KvError(pub String);

/// Rows to write and to remove; later ones win.
#[derive(Clone, Default, Debug)]
pub struct Batch {
    pub(crate) rows: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// Writes a row over whatever was there.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.rows.push((key.into(), Some(value.into())));
    }

    /// Removes a row; it is no error when there is none.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) {
        self.rows.push((key.into(), None));
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows it writes or removes.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
}

/// In which order a scan goes through the keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Rising,
    Falling,
}

/// Whether a scan goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scan {
    On,
    Stop,
}

/// A row: key, value.
pub type Row = (Vec<u8>, Vec<u8>);

/// An ordered map of bytes. Writes are seen at once by reads, and are durable only after [`Kv::sync`].
pub trait Kv: Send {
    /// The value of one row.
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KvError>;
    /// Visits the rows whose keys are at least `from` and below `until`, in `order`, until told to stop.
    fn scan(
        &self,
        from: &[u8],
        until: &[u8],
        order: Order,
        each: &mut dyn FnMut(&[u8], &[u8]) -> Scan,
    ) -> Result<(), KvError>;
    /// Writes all of a batch or nothing of it.
    fn write(&self, batch: Batch) -> Result<(), KvError>;
    /// Removes every row.
    fn clear(&self) -> Result<(), KvError>;
    /// Makes everything written so far durable.
    fn sync(&self) -> Result<(), KvError>;

    /// To be called after a batch of so many rows by whoever writes thousands again and again and reads nothing between. sled gives
    /// back what a write replaced only as later operations come by, some of it at each; without them it would grow without end (ten
    /// thousand rooms' history: 22 GB in some hundred rounds). One for four rows is enough while all pages lie in the cache, two for
    /// each row where each has to be fetched. Folding records reads enough by the way.
    ///
    /// # Errors
    /// As [`Kv::value`].
    fn free_after(&self, rows: usize) -> Result<(), KvError> {
        (0..rows * 2).try_for_each(|_| self.value(&[]).map(drop))
    }

    /// At most `limit` rows of a scan.
    fn range(&self, from: &[u8], until: &[u8], order: Order, limit: usize) -> Result<Vec<Row>, KvError> {
        let mut rows = Vec::new();
        if limit == 0 {
            return Ok(rows);
        }
        self.scan(from, until, order, &mut |key, value| {
            rows.push((key.to_vec(), value.to_vec()));
            if rows.len() < limit { Scan::On } else { Scan::Stop }
        })?;
        Ok(rows)
    }

    /// All rows whose keys begin with `prefix`, rising.
    fn prefix(&self, prefix: &[u8]) -> Result<Vec<Row>, KvError> {
        self.range(prefix, &prefix_end(prefix), Order::Rising, usize::MAX)
    }
}

/// The first key after all those that begin with `prefix`. A prefix of nothing but 0xff bytes is a bug.
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            return end;
        }
    }
    panic!("no key follows this prefix");
}

/// Where an index lies: opened, and wiped when it is found damaged.
pub trait KvPlace: Send {
    /// Opens the index, making an empty one where there is none.
    fn open(&mut self) -> Result<Box<dyn Kv>, KvError>;
    /// Removes it; the handles from [`KvPlace::open`] are gone by then.
    fn wipe(&mut self) -> Result<(), KvError>;
}
