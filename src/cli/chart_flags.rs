//! Helm's flags of where a chart comes from, and Helm's own files: `repositories.yaml`, cached indices, registry logins.
//!
//! In: the chart as it was named, the flags, the environment. Out: what [`crate::charts`] is to fetch, and a
//! [`Fetcher`] that does it.

#![expect(clippy::disallowed_methods, reason = "reads Helm's files and the files that flags name, and hands them on")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::charts::{
    Access, DEVEL, Fetcher, Located, Mode, Packed, Place, Repositories, Repository, RepositoryEntry, Tls, Wanted, Web,
    WebOptions,
};
use crate::diag::{Diagnostic, Result, SourceText};
use crate::registry::Client;

use super::blob_store::BlobStore;
use super::connection::{self, wait};
use super::git_logins::GitLogins;
use super::pflag;
use super::terminal::Terminal;

/// Flags of commands that take a chart as Helm does.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct ChartFlags {
    /// The chart's version, or a range of versions; the newest stable one where nothing is given
    #[arg(long = "version", value_name = "VERSION", default_value = "", hide_default_value = true)]
    pub(super) chart_version: String,
    /// URL of the chart's repository
    #[arg(long, value_name = "URL", default_value = "", hide_default_value = true)]
    pub(super) repo: String,
    /// Take versions that are not stable, too, where no version is given
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    pub(super) devel: bool,
    /// Verify the chart's provenance (refused: PGP signatures are not read)
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean)]
    pub(super) verify: bool,
    #[arg(long, hide = true)]
    keyring: Option<String>,
    #[command(flatten)]
    pub(super) server: ServerFlags,
}

/// Flags of commands that ask servers of charts.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct ServerFlags {
    /// User for the chart's repository or registry
    #[arg(long, value_name = "USER", default_value = "", hide_default_value = true)]
    pub(super) username: String,
    /// Password for it
    #[arg(long, value_name = "PASSWORD", default_value = "", hide_default_value = true)]
    pub(super) password: String,
    /// A file with a token for `Authorization: Bearer`, for repositories over HTTP
    #[arg(long, value_name = "FILE")]
    pub(super) bearer_file: Option<String>,
    /// Trust the authorities in this PEM file
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true)]
    pub(super) ca_file: String,
    /// Show servers this certificate (PEM)
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true)]
    pub(super) cert_file: String,
    /// Key of the certificate (PEM)
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true)]
    pub(super) key_file: String,
    /// Take any certificate
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    pub(super) insecure_skip_tls_verify: bool,
    /// Talk to registries without TLS; unasked only to this machine
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    pub(super) plain_http: bool,
    /// Send user and password to other hosts that the repository names, too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    pub(super) pass_credentials: bool,
    /// Ask no server: take what is in the cache, or fail
    #[arg(long)]
    pub(super) offline: bool,
    /// Helm's file of repositories
    #[arg(long, hide = true, value_name = "FILE")]
    pub(super) repository_config: Option<PathBuf>,
    /// Helm's folder of cached indices
    #[arg(long, hide = true, value_name = "DIR")]
    pub(super) repository_cache: Option<PathBuf>,
    /// Helm's file of registry logins
    #[arg(long, hide = true, value_name = "FILE")]
    pub(super) registry_config: Option<PathBuf>,
    /// Helm's folder of cached charts; of no effect
    #[arg(long, hide = true, value_name = "DIR")]
    pub(super) content_cache: Option<PathBuf>,
}

impl ChartFlags {
    /// The version to look for.
    pub(super) fn wanted_version(&self) -> &str {
        if self.chart_version.is_empty() && self.devel { DEVEL } else { self.chart_version.trim() }
    }

    /// Refuses what is not built.
    pub(super) fn check(&self) -> Result<()> {
        if self.verify {
            let fault = Diagnostic::input("flag-refused", "`--verify` is not supported: PGP signatures are not read");
            return Err(Box::new(fault.hint("use `helm pull --verify`, then render the file")));
        }
        Ok(())
    }
}

/// What is known of Helm's own files, and of the servers that flags speak of.
pub(super) struct Servers {
    flags: ServerFlags,
    pub(super) repositories: Repositories,
    cache: Option<PathBuf>,
    pub(super) fetcher: Fetcher,
}

impl Servers {
    /// Reads Helm's files, where there are any.
    pub(super) fn new(flags: &ServerFlags) -> Result<Servers> {
        Servers::about(flags, &[])
    }

    /// As [`Servers::new`]; the credential that flags give is for the registries of these references, too.
    pub(super) fn about(flags: &ServerFlags, references: &[&str]) -> Result<Servers> {
        let home = HelmHome::of(flags);
        let repositories = match home.repositories.as_deref().map(fs::read_to_string) {
            Some(Ok(text)) => Repositories::parse(&SourceText::new("repositories.yaml", text))?,
            _ => Repositories::default(),
        };
        let mode = if flags.offline { Mode::Offline } else { Mode::Online };
        let fetcher = Fetcher::new(
            Web::new(web_options()).with_logins(Arc::new(GitLogins)),
            registries(flags, references, home.logins)?,
            Arc::new(BlobStore::of_user()),
            mode,
        );
        Ok(Servers { flags: flags.clone(), repositories, cache: home.indices, fetcher })
    }

    /// What a chart's name as Helm takes it means; nothing if it is a path on disk.
    pub(super) fn understand(&self, name: &str, chart: &ChartFlags) -> Result<Option<Wanted>> {
        let (name, version) = (name.trim(), chart.wanted_version().to_owned());
        if chart.repo.is_empty() {
            if fs::metadata(name).is_ok() {
                return Ok(None);
            }
            if name.starts_with('/') || name.starts_with('.') {
                let fault = Diagnostic::input("chart-missing", format!("path {name:?} not found"));
                return Err(Box::new(fault.hint("name a chart's folder or a packed chart")));
            }
        }
        let last = name.rsplit('/').next().unwrap_or_default().to_owned();
        if name.starts_with("oci://") {
            return Ok(Some(Wanted { place: Place::Oci(name.to_owned()), name: last, version }));
        }
        if !chart.repo.is_empty() {
            return Ok(Some(Wanted { place: self.place(&chart.repo, name)?, name: name.to_owned(), version }));
        }
        if name.contains("://") {
            let owner =
                self.repositories.entries.iter().find(|entry| name.starts_with(entry.url.trim_end_matches('/')));
            let repository = match owner {
                Some(entry) if !self.flags_say_who() => self.of_entry(entry)?,
                _ => Repository { url: name.to_owned(), access: self.access()? },
            };
            return Ok(Some(Wanted { place: Place::Url(name.to_owned(), repository), name: last, version }));
        }
        let Some((repository, chart)) = name.split_once('/') else {
            let text = format!(
                "no chart at `{name}`, and no repository is named: non-absolute URLs should be in form of repo_name/path_to_chart"
            );
            let fault = Diagnostic::input("chart-missing", text);
            return Err(Box::new(
                fault.hint("name a chart's folder, `oci://…`, `REPOSITORY/CHART`, or give `--repo URL`"),
            ));
        };
        let entry = self.repositories.named(repository)?;
        let place = self.indexed(entry)?;
        Ok(Some(Wanted { place, name: chart.to_owned(), version }))
    }

    /// The place of a chart in the repository at a URL: `oci://` or over HTTP.
    pub(super) fn place(&self, url: &str, chart: &str) -> Result<Place> {
        if url.starts_with("oci://") {
            return Ok(Place::Oci(format!("{}/{chart}", url.trim_end_matches('/'))));
        }
        self.repository(url).map(Place::Repository)
    }

    /// The repository at a URL: as the flags say, else as `repositories.yaml` says, else anonymously.
    pub(super) fn repository(&self, url: &str) -> Result<Repository> {
        match self.repositories.at(url) {
            Some(entry) if !self.flags_say_who() => {
                self.of_entry(entry).map(|found| Repository { url: url.to_owned(), ..found })
            }
            _ => Ok(Repository { url: url.to_owned(), access: self.access()? }),
        }
    }

    /// A repository of `repositories.yaml`, with the index that Helm keeps of it if there is one.
    fn indexed(&self, entry: &RepositoryEntry) -> Result<Place> {
        let repository = self.of_entry(entry)?;
        let index =
            self.cache.as_ref().and_then(|folder| fs::read(folder.join(format!("{}-index.yaml", entry.name))).ok());
        Ok(match index {
            Some(index) => Place::Indexed(repository, index.into()),
            None => Place::Repository(repository),
        })
    }

    fn of_entry(&self, entry: &RepositoryEntry) -> Result<Repository> {
        let tls = tls(
            &entry.ca_file,
            &entry.cert_file,
            &entry.key_file,
            entry.insecure || self.flags.insecure_skip_tls_verify,
        )?;
        let access = Access {
            user: entry.username.clone(),
            password: entry.password.clone(),
            bearer: None,
            pass_everywhere: entry.pass_everywhere || self.flags.pass_credentials,
            tls,
        };
        Ok(Repository { url: entry.url.clone(), access })
    }

    fn flags_say_who(&self) -> bool {
        let flags = &self.flags;
        flags.bearer_file.is_some()
            || [&flags.username, &flags.ca_file, &flags.cert_file].iter().any(|text| !text.is_empty())
    }

    fn access(&self) -> Result<Access> {
        let flags = &self.flags;
        let bearer = flags
            .bearer_file
            .as_deref()
            .map(|path| read(path).map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()));
        Ok(Access {
            user: flags.username.clone(),
            password: flags.password.clone(),
            bearer: bearer.transpose()?,
            pass_everywhere: flags.pass_credentials,
            tls: tls(&flags.ca_file, &flags.cert_file, &flags.key_file, flags.insecure_skip_tls_verify)?,
        })
    }

    /// Fetches a chart, newly found.
    pub(super) fn fetch(&self, wanted: &Wanted, provenance: bool, terminal: &Terminal) -> Result<(Located, Packed)> {
        wait(async {
            let located = self.fetcher.locate(wanted).await?;
            if let Some(remark) = &located.remark {
                terminal.report(remark);
            }
            let packed = self.fetcher.packed(wanted, &located, provenance).await?;
            Ok((located, packed))
        })
    }
}

/// Where Helm keeps its files.
struct HelmHome {
    repositories: Option<PathBuf>,
    indices: Option<PathBuf>,
    logins: Option<PathBuf>,
}

impl HelmHome {
    fn of(flags: &ServerFlags) -> HelmHome {
        let set = |name: &str| Terminal::environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = set("HOME");
        let base = |helm: &str, xdg: &str, usual: &str| {
            set(helm).or_else(|| Some(set(xdg).or_else(|| Some(home.as_ref()?.join(usual)))?.join("helm")))
        };
        let config = base("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", ".config");
        let cache = base("HELM_CACHE_HOME", "XDG_CACHE_HOME", ".cache");
        let or =
            |flag: &Option<PathBuf>, name: &str, usual: Option<PathBuf>| flag.clone().or_else(|| set(name)).or(usual);
        HelmHome {
            repositories: or(
                &flags.repository_config,
                "HELM_REPOSITORY_CONFIG",
                config.as_ref().map(|folder| folder.join("repositories.yaml")),
            ),
            indices: or(
                &flags.repository_cache,
                "HELM_REPOSITORY_CACHE",
                cache.map(|folder| folder.join("repository")),
            ),
            logins: or(
                &flags.registry_config,
                "HELM_REGISTRY_CONFIG",
                config.map(|folder| folder.join("registry/config.json")),
            ),
        }
    }
}

fn registries(flags: &ServerFlags, references: &[&str], logins: Option<PathBuf>) -> Result<Client> {
    let path = |text: &str| Some(PathBuf::from(text)).filter(|path| !path.as_os_str().is_empty());
    let connection = connection::ConnectionArgs {
        plain_http: flags.plain_http,
        ca_file: path(&flags.ca_file),
        cert_file: path(&flags.cert_file),
        key_file: path(&flags.key_file),
    };
    let given = Some((flags.username.clone(), flags.password.clone()))
        .filter(|(user, password)| !user.is_empty() && !password.is_empty());
    let hosts = references
        .iter()
        .filter_map(|reference| reference.strip_prefix("oci://")?.split('/').next())
        .map(str::to_owned);
    connection.client_for_charts(given, hosts.collect(), logins)
}

fn web_options() -> WebOptions {
    let set =
        |names: [&str; 2]| names.iter().find_map(|name| Terminal::environment(name).filter(|value| !value.is_empty()));
    WebOptions {
        proxies: [set(["HTTP_PROXY", "http_proxy"]), set(["HTTPS_PROXY", "https_proxy"])],
        no_proxy: format!("localhost,127.0.0.1,::1,{}", set(["NO_PROXY", "no_proxy"]).unwrap_or_default()),
        ..WebOptions::default()
    }
}

fn tls(ca: &str, cert: &str, key: &str, insecure: bool) -> Result<Tls> {
    let ca_pem = Some(ca).filter(|path| !path.is_empty()).map(read).transpose()?;
    let mut identity_pem = None;
    if !cert.is_empty() && !key.is_empty() {
        identity_pem = Some([read(cert)?, b"\n".to_vec(), read(key)?].concat());
    }
    Ok(Tls { ca_pem, identity_pem, insecure })
}

fn read(path: &str) -> Result<Vec<u8>> {
    fs::read(Path::new(path))
        .map_err(|error| Box::new(Diagnostic::input("file-unreadable", format!("cannot read `{path}`: {error}"))))
}
