//! Reading `.tar.gz` archives that others made.
//!
//! In: bytes, and limits. Out: the entries in archive order ([`entries`]), or the files of a packed chart under the
//! names they have inside the chart ([`chart_files`]). Sizes are checked before anything is unpacked, so that a claim
//! of a gigabyte costs nothing. Nothing is written anywhere.

use std::io::{Cursor, Read};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::headers::Metered;
use crate::diag::{Diagnostic, Result};

/// What an archive may cost.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "each is a most")]
pub struct Limits {
    /// Unpacked bytes of one file.
    pub file_bytes_max: u64,
    /// Unpacked bytes of all files together.
    pub total_bytes_max: u64,
    /// How many entries there may be.
    pub entries_max: usize,
}

impl Limits {
    /// Helm's limits for charts: 100 MiB together. Helm has no limit on entries; this one keeps a hundred megabytes of
    /// empty entries from costing gigabytes.
    pub const CHART: Limits =
        Limits { file_bytes_max: 100 << 20, total_bytes_max: 100 << 20, entries_max: 200_000 };

    /// The same before Helm 4.3: 5 MiB a file besides.
    pub const CHART_OF_SMALL_FILES: Limits = Limits { file_bytes_max: 5 << 20, ..Limits::CHART };
}

/// One entry of an archive.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name as written in the archive; not to be trusted as a path.
    pub name: String,
    /// True for a folder.
    pub is_folder: bool,
    /// The bytes of a regular file; empty for anything else.
    pub data: Arc<[u8]>,
}

/// True if the bytes start as gzip does.
pub fn looks_gzipped(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1f\x8b\x08")
}

/// The entries of a `.tar.gz`, in archive order. Fails with code `archive-limit` when a limit is passed and with
/// `archive-broken` when the bytes are no such archive.
pub fn entries(bytes: &[u8], limits: Limits) -> Result<Vec<Entry>> {
    if !looks_gzipped(bytes) {
        return Err(broken(&"gzip: invalid header"));
    }
    // headers and padding come on top of the files' bytes; an archive that is nothing but headers still ends here
    let ceiling = limits.total_bytes_max.saturating_mul(2).saturating_add(1 << 20);
    let unzipped = MultiGzDecoder::new(Cursor::new(bytes)).take(ceiling);
    let (unzipped, meter) = Metered::new(unzipped);
    let mut archive = tar::Archive::new(unzipped);
    let mut remaining = limits.total_bytes_max;
    let mut found = Vec::new();
    let mut all = archive.entries().map_err(|error| broken(&error))?;
    while let Some(entry) = meter.headers(|| all.next()) {
        let mut entry = entry.map_err(|error| broken(&error))?;
        if found.len() == limits.entries_max {
            return Err(over(format!("the archive has more than {} entries", limits.entries_max)));
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() || kind.is_pax_local_extensions() {
            pass(&mut entry)?;
            continue;
        }
        let is_folder = kind.is_dir() || (kind.is_file() && name.ends_with('/'));
        let mut data = Vec::new();
        if is_folder {
            pass(&mut entry)?;
        } else {
            let size = entry.size();
            if size > remaining {
                return Err(over(format!("decompressed chart is larger than the maximum size {}", limits.total_bytes_max)));
            }
            if size > limits.file_bytes_max {
                let most = limits.file_bytes_max;
                return Err(over(format!("decompressed chart file {name:?} is larger than the maximum file size {most}")));
            }
            entry.read_to_end(&mut data).map_err(|error| broken(&error))?;
            remaining = remaining.saturating_sub(data.len() as u64);
            if (data.len() as u64) < size || remaining == 0 {
                return Err(over(format!("decompressed chart is larger than the maximum size {}", limits.total_bytes_max)));
            }
        }
        found.push(Entry { name, is_folder, data: Arc::from(data) });
    }
    Ok(found)
}

/// Reads past an entry's bytes, so that they do not count as headers of the next.
fn pass(entry: &mut impl Read) -> Result<()> {
    std::io::copy(entry, &mut std::io::sink()).map(drop).map_err(|error| broken(&error))
}

/// The files of a packed chart, named as inside the chart (`Chart.yaml`, `templates/a.yaml`): the first folder of each
/// name is dropped, a byte order mark is stripped, and a name that leaves the chart is refused.
pub fn chart_files(bytes: &[u8], limits: Limits) -> Result<Vec<(String, Arc<[u8]>)>> {
    let mut files = Vec::new();
    for entry in entries(bytes, limits)? {
        if entry.is_folder {
            continue;
        }
        let name = confined(&entry.name)?;
        let data = match entry.data.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => Arc::from(rest),
            None => entry.data,
        };
        files.push((name, data));
    }
    if files.is_empty() {
        return Err(Box::new(Diagnostic::input("archive-empty", "no files in chart archive")));
    }
    Ok(files)
}

/// The name inside the chart, if it stays there.
fn confined(name: &str) -> Result<String> {
    let refuse = |message: String| Err(Box::new(Diagnostic::input("archive-path", message)));
    // archives made on Windows may use backslashes
    let delimiter = if name.contains('\\') { '\\' } else { '/' };
    let (first, rest) = name.split_once(delimiter).unwrap_or((name, ""));
    let rest = rest.replace(delimiter, "/");
    if rest.starts_with('/') {
        return refuse("chart illegally contains absolute paths".into());
    }
    let clean = clean(&rest);
    if clean == "." {
        return refuse(format!("chart illegally contains content outside the base directory: {name:?}"));
    }
    if clean.starts_with("..") {
        return refuse("chart illegally references parent directory".into());
    }
    let bytes = clean.as_bytes();
    if bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && &bytes[1..3] == b":/" {
        return refuse("chart contains illegally named files".into());
    }
    if first == "Chart.yaml" {
        return refuse("chart yaml not in base directory".into());
    }
    Ok(clean)
}

/// Go's `path.Clean` for a relative path.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

fn broken(error: &dyn std::fmt::Display) -> Box<Diagnostic> {
    Box::new(Diagnostic::input("archive-broken", format!("cannot read the archive: {error}")))
}

fn over(message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::input("archive-limit", message))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (name, data) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            // set by hand: the library refuses the names that are to be tested
            let field = &mut header.as_old_mut().name;
            field[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *data).expect("in memory");
        }
        builder.into_inner().expect("in memory").finish().expect("in memory")
    }

    #[test]
    fn the_first_folder_goes_and_the_byte_order_mark_too() {
        let files = chart_files(&packed(&[("web/Chart.yaml", b"\xef\xbb\xbfname: web"), ("web/./templates//a", b"a")]), Limits::CHART).expect("a chart");
        assert_eq!(files[0].0, "Chart.yaml");
        assert_eq!(&*files[0].1, b"name: web");
        assert_eq!(files[1].0, "templates/a");
    }

    #[test]
    fn names_that_leave_the_chart_are_refused() {
        for (name, why) in [
            ("web/../../etc/passwd", "parent"),
            ("web//etc/passwd", "absolute"),
            ("Chart.yaml", "outside the base"),
            ("web/c:/x", "illegally named"),
            ("web\\..\\..\\x", "parent"),
            ("x", "outside"),
        ] {
            let fault = chart_files(&packed(&[(name, b"x")]), Limits::CHART).expect_err(name);
            assert!(fault.message.contains(why), "{name}: {fault}");
        }
    }

    #[test]
    fn a_claim_of_a_gigabyte_is_refused_before_it_is_unpacked() {
        let mut header = tar::Header::new_gnu();
        header.set_path("web/big").expect("a plain name");
        header.set_size(1 << 30);
        header.set_cksum();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(header.as_bytes()).expect("in memory");
        let fault = chart_files(&gz.finish().expect("in memory"), Limits::CHART).expect_err("too large");
        assert_eq!(fault.code, "archive-limit");
    }

    #[test]
    fn a_name_of_megabytes_is_refused_before_it_is_held() {
        for kind in [tar::EntryType::GNULongName, tar::EntryType::XHeader] {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(2 << 20);
            header.set_cksum();
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gz.write_all(header.as_bytes()).and_then(|()| gz.write_all(&vec![b'a'; 2 << 20])).expect("in memory");
            let fault = chart_files(&gz.finish().expect("in memory"), Limits::CHART).expect_err("too long");
            assert!(fault.message.contains("headers of an entry"), "{fault}");
        }
    }

    #[test]
    fn one_file_over_the_limit_and_too_many_entries_are_refused() {
        let big = vec![0; (5 << 20) + 1];
        let big = packed(&[("web/big", &big)]);
        let fault = chart_files(&big, Limits::CHART_OF_SMALL_FILES).expect_err("too large");
        assert!(fault.message.contains("maximum file size"), "{fault}");
        assert!(chart_files(&big, Limits::CHART).is_ok());
        let few = Limits { entries_max: 1, ..Limits::CHART };
        assert!(entries(&packed(&[("a", b""), ("b", b"")]), few).is_err());
        assert!(entries(b"no gzip", Limits::CHART).is_err());
    }
}
