//! What helpers print is what one thread prints, whatever templates do to one another.

use std::sync::Arc;

use super::run::Ambient;
use super::{Chart, Print, ReleaseOptions, UserValues, render};
use crate::compat::Profile;
use crate::source::Memory;

/// Counts its draws, so that their order shows.
pub(super) struct Counting(pub(super) u64);

impl Ambient for Counting {
    fn now(&mut self) -> (i64, u32) {
        self.0 += 1;
        (self.0 as i64 * 86_400, 0)
    }

    fn random(&mut self, _: &str, _: u32, out: &mut [u8]) {
        self.0 += 1;
        out.fill(self.0 as u8);
    }

    fn host_address(&mut self, _: &str) -> String {
        self.0 += 1;
        format!("10.0.0.{}", self.0)
    }
}

/// A chart of so many templates, each with enough text to be worth a helper; `special` are put in place of some.
fn chart(special: &[(usize, &str)]) -> Arc<Chart> {
    let mut files = Memory::new();
    files.insert("/web/Chart.yaml", b"apiVersion: v2\nname: web\nversion: 1.0.0\n".as_slice());
    files.insert("/web/values.yaml", b"a: {b: 1, list: [{c: 2}]}\ncount: 0\n".as_slice());
    let filler = "#".repeat(4096);
    for number in 0..48 {
        let usual = "{{ .Values.a.b }} {{ .Values.count }} {{ .Template.Name }} {{ toJson .Values.a }}";
        let text = special.iter().find(|(at, _)| *at == number).map_or(usual, |(_, text)| text);
        let text = format!("{filler}\nkind: A\nname: \"{number} {}\"\n", text.replace('"', "`"));
        files.insert(&format!("/web/templates/t{number:02}.yaml"), text.into_bytes());
    }
    Chart::load(&files, "/web", Profile::default()).expect("a chart")
}

/// What a render prints or says.
fn printed(chart: &Arc<Chart>, one_thread: bool) -> String {
    let options = ReleaseOptions { one_thread, ..ReleaseOptions::default() };
    match render(chart, &options, &UserValues::default(), &mut Counting(0)) {
        Ok(release) => {
            let warnings: Vec<&str> = release.warnings.iter().map(|warning| warning.message.as_str()).collect();
            format!("{}{warnings:?}", release.print(&Print::default()).expect("printed"))
        }
        Err(fault) => fault.message.clone(),
    }
}

#[test]
fn threads_never_show() {
    let cases: &[&[(usize, &str)]] = &[
        &[],
        &[(40, "{{ $_ := set .Values \"count\" 7 }}")],
        &[(3, "{{ $_ := set .Values.a \"b\" 8 }}"), (20, "{{ $_ := unset .Values \"count\" }}")],
        &[(24, "{{ range .Values.a.list }}{{ $_ := set . \"c\" 9 }}{{ end }}")],
        &[(10, "{{ $_ := merge .Values.a (dict \"new\" 1) }}"), (30, "{{ $_ := mergeOverwrite .Values (dict \"count\" 5) }}")],
        &[(2, "{{ randAlpha 5 }}"), (25, "{{ randAlpha 5 }}"), (45, "{{ uuidv4 }}")],
        &[(1, "{{ now | date \"2006-01-02\" }}"), (46, "{{ now | date \"2006-01-02\" }}"), (30, "{{ getHostByName \"x\" }}")],
        &[(5, "{{ lookup \"v1\" \"Pod\" \"\" \"\" }}"), (35, "{{ lookup \"v1\" \"Pod\" \"\" \"\" }}")],
        &[(6, "{{ fail \"six\" }}"), (41, "{{ fail \"forty-one\" }}")],
        &[(6, "{{ .Values.none.none }}"), (41, "{{ $_ := set .Values.a \"b\" 8 }}")],
    ];
    for special in cases {
        let chart = chart(special);
        let alone = printed(&chart, true);
        for _ in 0..8 {
            assert_eq!(alone, printed(&chart, false), "{special:?}");
        }
    }
}
