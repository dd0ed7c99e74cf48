//! A look at a write-ahead log before SQLite reads it. Must not change it, nor mistake a torn end for damage.
//!
//! SQLite takes the first frame that does not fit for the end of the log and drops all after it. That is right for a
//! commit that was torn by a crash: nobody was told of it. It would be wrong for damage further in, which hides
//! commits that were answered for. The two differ: each commit is synced before the next one begins, so a frame
//! that follows the end of a commit by its checksum proves that everything up to there once was whole.
//!
//! The format is described at <https://www.sqlite.org/fileformat2.html#walformat>.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::OpenError;

/// Refuses a database file whose write-ahead log is damaged before its end.
pub(super) fn check(database: &Path) -> Result<(), OpenError> {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    let path = PathBuf::from(name);
    let damaged = match File::open(&path) {
        Ok(file) => first_damaged(&mut BufReader::with_capacity(1 << 16, file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    match damaged {
        Ok(None) => Ok(()),
        Ok(Some(frame)) => {
            let detail = format!("frame {frame} is not what was written, but frames after it are");
            Err(OpenError::Damaged { path, detail })
        }
        Err(error) => Err(OpenError::File { path, detail: error.to_string() }),
    }
}

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The two running halves of a checksum.
type Sum = [u32; 2];

/// What the log's header says of its frames.
struct Header {
    big_endian: bool,
    page: usize,
    salts: [u8; 8],
    sum: Sum,
    fits: bool,
}

/// A frame, as far as it matters here.
struct Frame {
    salts: [u8; 8],
    ends_commit: bool,
    /// As it stands in the frame.
    sum: Sum,
    /// The header's and the page's bytes that the checksum covers.
    covered: [u8; 8],
    page: Vec<u8>,
}

/// What matters of the frame before, the header at first.
struct Before {
    /// It is of this log and not left over from an older one.
    own: bool,
    /// It ends a commit in which, or before which, a frame does not fit.
    ends_bad_commit: bool,
}

/// The number of the first frame that does not fit though it was synced once; the header counts as frame 0.
fn first_damaged(log: &mut impl Read) -> io::Result<Option<u64>> {
    let Some(header) = read_header(log)? else { return Ok(None) };
    if !header.fits {
        // The header is synced before the first frame is written, so that a torn one has nothing behind it.
        return Ok(read_exactly(log, 1)?.map(|_| 0));
    }
    // Both what the frames say and what their contents give, since either may be what is damaged.
    let (mut told, mut computed) = (header.sum, header.sum);
    let mut first_bad = None;
    let mut before = Before { own: true, ends_bad_commit: false };
    for number in 1.. {
        let Some(frame) = read_frame(log, header.page)? else { break };
        computed = header.add(header.add(computed, &frame.covered), &frame.page);
        let by_told = header.add(header.add(told, &frame.covered), &frame.page);
        let follows = before.own && (frame.sum == by_told || frame.sum == computed);
        let own = frame.salts == header.salts;
        if follows && !own {
            // Of this log by its sum and of an older one by its salts: only damage can do that.
            return Ok(first_bad.or(Some(number)));
        }
        if follows && before.ends_bad_commit {
            return Ok(first_bad);
        }
        if !(own && frame.sum == by_told) && first_bad.is_none() {
            first_bad = Some(number);
        }
        before = Before { own, ends_bad_commit: own && frame.ends_commit && first_bad.is_some() };
        told = frame.sum;
    }
    Ok(None)
}

impl Header {
    /// The checksum of the bytes, which are a multiple of eight, after that of what comes before them.
    fn add(&self, [mut first, mut second]: Sum, bytes: &[u8]) -> Sum {
        let word = |bytes| {
            if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        for [a, b, c, d, e, f, g, h] in bytes.as_chunks::<8>().0 {
            first = first.wrapping_add(word([*a, *b, *c, *d])).wrapping_add(second);
            second = second.wrapping_add(word([*e, *f, *g, *h])).wrapping_add(first);
        }
        [first, second]
    }
}

/// The header; `None` where the log is shorter.
fn read_header(log: &mut impl Read) -> io::Result<Option<Header>> {
    let Some(bytes) = read_exactly(log, HEADER)? else { return Ok(None) };
    let word = |index: usize| be_word(&bytes, index);
    let page = usize::try_from(word(2)).unwrap_or(0);
    let salts = [word(4).to_be_bytes(), word(5).to_be_bytes()].concat();
    let mut header = Header {
        big_endian: word(0) == 0x377f_0683,
        page,
        salts: salts.try_into().unwrap_or_default(),
        sum: [word(6), word(7)],
        fits: false,
    };
    header.fits = word(0) & !1 == 0x377f_0682 && header.add([0, 0], &bytes[..24]) == header.sum;
    Ok(Some(header))
}

fn read_frame(log: &mut impl Read, page: usize) -> io::Result<Option<Frame>> {
    let Some(bytes) = read_exactly(log, FRAME_HEADER)? else { return Ok(None) };
    let Some(page) = read_exactly(log, page)? else { return Ok(None) };
    let eight = |from: usize| bytes[from..from + 8].try_into().unwrap_or_default();
    Ok(Some(Frame {
        salts: eight(8),
        ends_commit: be_word(&bytes, 1) != 0,
        sum: [be_word(&bytes, 4), be_word(&bytes, 5)],
        covered: eight(0),
        page,
    }))
}

fn be_word(bytes: &[u8], index: usize) -> u32 {
    bytes[4 * index..4 * index + 4].try_into().map_or(0, u32::from_be_bytes)
}

/// So many bytes; `None` where the log ends before.
fn read_exactly(log: &mut impl Read, length: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; length];
    match log.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
