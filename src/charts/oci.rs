//! Charts in OCI registries: tags are versions (`_` for `+`), one layer is the packed chart, another may be its provenance.

use super::version::choose;
use super::{CHART_BYTES_MAX, Located, Packed};
use crate::diag::{Diagnostic, Result};
use crate::go::semver::Version;
use crate::oci::{Digest, Location, Manifest, Reference, media_type};
use crate::registry::Client;

/// What Helm packed charts as before its types were settled.
const LEGACY_LAYER: &str = "application/tar+gzip";
/// Helm's type of a provenance file.
const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

/// Where the version of a chart is that `wanted` means. A reference with a digest is meant just so.
///
/// Fails with `chart-version-mismatch` where the reference names one version and `wanted` another.
pub(super) async fn locate(client: &Client, reference: &str, wanted: &str) -> Result<Located> {
    let parsed = parse(reference)?;
    let named = parsed.tag.as_deref();
    if let Some(tag) = named.filter(|tag| !wanted.is_empty() && *tag != tag_of(wanted)) {
        let text = format!("chart reference and version mismatch: {wanted} is not {tag}");
        return Err(Box::new(Diagnostic::input("chart-version-mismatch", text).hint("give the version once")));
    }
    let name = parsed.repository.rsplit('/').next().unwrap_or_default().to_owned();
    let at = |version: &str, digest: Option<Digest>| Located {
        name: name.clone(),
        version: version.to_owned(),
        url: format!("oci://{}/{}:{}", parsed.registry, parsed.repository, tag_of(version)),
        digest,
        remark: None,
    };
    if let Some(digest) = parsed.digest {
        return check_digest(client, &parsed, digest, wanted, name).await;
    }
    let wanted = named.map_or_else(|| wanted.to_owned(), version_of);
    if Version::parse(&wanted).is_ok() {
        return Ok(at(&wanted, None));
    }
    let mut bare = parsed.clone();
    bare.tag = None;
    let tags = client.tags(&Location::Registry(bare)).await?;
    let mut versions: Vec<Version> = tags.iter().filter_map(|tag| strict(&version_of(tag))).collect();
    versions.sort_by(|a, b| b.compare(a));
    if versions.is_empty() {
        let text = format!("unable to locate any tags in provided repository: `{reference}`");
        return Err(Box::new(
            Diagnostic::input("chart-unknown", text).hint("check the chart's name: no tag of it is a version"),
        ));
    }
    let Some(place) = choose(versions.iter().map(Version::original), &wanted)? else {
        let known: Vec<&str> = versions.iter().take(5).map(Version::original).collect();
        let asked = if wanted.is_empty() { "a stable version".to_owned() } else { format!("version `{wanted}`") };
        let fault = Diagnostic::input("chart-no-version", format!("chart `{reference}` has no {asked}"));
        return Err(Box::new(fault.hint(format!("use one that it has; the newest are {}", known.join(", ")))));
    };
    Ok(at(versions[place].original(), None))
}

/// A chart named by digest: where a version is named too, it must be that digest's.
async fn check_digest(
    client: &Client,
    parsed: &Reference,
    digest: Digest,
    wanted: &str,
    name: String,
) -> Result<Located> {
    let mut url = format!("oci://{}/{}@{digest}", parsed.registry, parsed.repository);
    if !wanted.is_empty() {
        let mut tagged = parsed.clone();
        (tagged.tag, tagged.digest) = (Some(tag_of(wanted)), None);
        // the chart need not have a tag where its digest is named
        if let Ok(found) = client.resolve(&Location::Registry(tagged)).await
            && found != digest
        {
            let text = format!("chart reference digest mismatch: {found} is not {digest}");
            return Err(Box::new(Diagnostic::input("chart-digest-mismatch", text).hint("leave version or digest out")));
        }
        url = format!("oci://{}/{}:{}@{digest}", parsed.registry, parsed.repository, tag_of(wanted));
    }
    Ok(Located { name, version: wanted.to_owned(), url, digest: None, remark: None })
}

/// The packed chart at a reference, its manifest's digest verified where one is named, and its provenance file.
pub(super) async fn packed(client: &Client, url: &str, provenance: bool) -> Result<Packed> {
    let location = Location::Registry(parse(url)?);
    let (bytes, content_type) = client.manifest(&location, &location.version()).await?;
    let no_chart = |why: &str| {
        let fault = Diagnostic::input("chart-not-a-chart", format!("`{url}` holds no chart: {why}"));
        Box::new(fault.hint("push it with `helm push`, or name another artifact"))
    };
    let Manifest::Image(image) = Manifest::parse(&bytes, &content_type)? else {
        return Err(no_chart("it is an index"));
    };
    if image.config.media_type != media_type::HELM_CONFIG {
        return Err(no_chart(&format!("its config is a `{}`", image.config.media_type)));
    }
    let layer = |types: &[&str]| image.layers.iter().find(|layer| types.contains(&layer.media_type.as_str()));
    let Some(chart) = layer(&[media_type::HELM_LAYER, LEGACY_LAYER]) else {
        return Err(no_chart(&format!("manifest does not contain a layer with mediatype {}", media_type::HELM_LAYER)));
    };
    if chart.size > CHART_BYTES_MAX as u64 {
        let text = format!("the chart at `{url}` has {} bytes, more than the {CHART_BYTES_MAX} allowed", chart.size);
        return Err(Box::new(Diagnostic::input("chart-too-large", text)));
    }
    let blob = client.blob(&location, chart).await?;
    let mut packed =
        Packed { digest: chart.digest, bytes: blob.bytes, provenance: None, manifest: Some(Digest::of(&bytes)) };
    if provenance {
        let Some(signed) = layer(&[PROVENANCE]) else {
            let text = format!("`{url}` has no provenance file");
            return Err(Box::new(Diagnostic::input("chart-no-provenance", text).hint("leave `--prov` out")));
        };
        packed.provenance = Some(client.blob(&location, signed).await?.bytes);
    }
    Ok(packed)
}

fn parse(reference: &str) -> Result<Reference> {
    // a version may be written with its `+`
    let (name, tag) = match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') && !name.contains('@') => (name, Some(tag)),
        _ => (reference, None),
    };
    match tag {
        Some(tag) => Reference::parse(&format!("{name}:{}", tag_of(tag))),
        None => Reference::parse(reference),
    }
}

/// The tag that stands for a version.
pub(super) fn tag_of(version: &str) -> String {
    version.replace('+', "_")
}

/// The version that a tag stands for.
fn version_of(tag: &str) -> String {
    tag.replace('_', "+")
}

/// A whole version without a leading `v`: what Helm takes a tag for.
fn strict(text: &str) -> Option<Version> {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let whole = core.split('.').count() == 3
        && core.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let plain = core.split('.').all(|part| part.len() == 1 || !part.starts_with('0'));
    if whole && plain { Version::parse(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_versions() {
        assert_eq!(parse("oci://r.example:5000/a/web:1.0.0+b").expect("a reference").tag.as_deref(), Some("1.0.0_b"));
        assert_eq!(parse("oci://r.example:5000/a/web").expect("a reference").tag, None);
        assert!(strict("1.2.3-rc.1+b").is_some());
        for text in ["v1.2.3", "1.2", "latest", "01.2.3"] {
            assert!(strict(text).is_none(), "{text}");
        }
    }
}
