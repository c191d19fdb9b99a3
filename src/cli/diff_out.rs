//! Where a diff goes: a terminal with its colours and pager, a file, or stdout, in one of four forms.

use std::path::Path;

use crate::diag::Result;
use crate::diff::{Look, MARKDOWN_BYTES_MAX, View, to_html, to_json, to_markdown, to_text};

use super::input::absolute;
use super::store;
use super::terminal::Terminal;

/// How to print a diff.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct OutArgs {
    /// text, markdown (for a pull request), html (one page), or json (all of it: templates/diff.schema.json)
    #[arg(long, value_name = "FORM", default_value = "text", value_parser = ["text", "markdown", "html", "json"])]
    format: String,
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    /// Colour: auto, always or never
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "always", "never"])]
    color: String,
    /// Print to the terminal itself, however long
    #[arg(long)]
    no_pager: bool,
    /// Most bytes of Markdown; the rest is folded
    #[arg(long, value_name = "BYTES", default_value_t = MARKDOWN_BYTES_MAX)]
    markdown_limit: usize,
}

/// Prints a view as the arguments ask for.
pub(super) fn print(view: &View<'_>, args: &OutArgs, terminal: &Terminal) -> Result<()> {
    let screen = if args.output.is_none() { Terminal::screen() } else { None };
    let text = match args.format.as_str() {
        "markdown" => to_markdown(view, args.markdown_limit),
        "html" => to_html(view)?,
        "json" => to_json(view),
        _ => {
            let colour = match args.color.as_str() {
                "always" => true,
                "never" => false,
                _ => screen.is_some() && !Terminal::is_plain(),
            };
            let width = screen.map(|(columns, _)| columns);
            to_text(view, Look { colour, width, diff_signs: false })
        }
    };
    match &args.output {
        Some(path) => store::write_file(Path::new(&absolute(path)?), text.as_bytes()),
        None => match screen {
            Some((_, lines)) if !args.no_pager && text.lines().count() >= lines => terminal.page(&text),
            _ => terminal.data(text),
        },
    }
}
