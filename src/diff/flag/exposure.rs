//! What can be reached from outside: Services, Ingresses, routes.

use super::{Flag, FlagKind, items, text, texts};
use crate::manifest::Object;

/// A flag for each way in that was not there.
pub(super) fn flags(was: Option<&Object>, is: &Object) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut say = |message: String| flags.push(Flag::new(FlagKind::Exposure, message));
    match (is.id.group.as_str(), is.id.kind.as_str()) {
        ("", "Service") => service(was, is, &mut say),
        ("networking.k8s.io" | "extensions", "Ingress") => {
            let hosts = |object: &Object| -> Vec<String> {
                let rules = items(object.tree(), &["spec", "rules"]);
                rules.iter().map(|rule| text(rule, &["host"]).unwrap_or("*").to_owned()).collect()
            };
            let had = was.map(hosts).unwrap_or_default();
            for host in hosts(is).iter().filter(|host| !had.contains(host)) {
                say(format!("takes requests for `{host}`"));
            }
            let encrypted = |object: &Object| !items(object.tree(), &["spec", "tls"]).is_empty();
            if was.is_some_and(encrypted) && !encrypted(is) {
                say("takes requests without TLS".to_owned());
            }
        }
        ("gateway.networking.k8s.io", "HTTPRoute" | "GRPCRoute" | "TLSRoute") => {
            let had = was.map(|was| texts(was.tree(), &["spec", "hostnames"])).unwrap_or_default();
            for host in texts(is.tree(), &["spec", "hostnames"]).iter().filter(|host| !had.contains(host)) {
                say(format!("takes requests for `{host}`"));
            }
        }
        _ => {}
    }
    flags
}

fn service(was: Option<&Object>, is: &Object, say: &mut impl FnMut(String)) {
    let kind = |object: &Object| text(object.tree(), &["spec", "type"]).unwrap_or("ClusterIP").to_owned();
    let now = kind(is);
    if matches!(now.as_str(), "LoadBalancer" | "NodePort") && was.map(kind).as_deref() != Some(&now) {
        say(format!("becomes reachable as `{now}`"));
    }
    let addresses = |object: &Object| texts(object.tree(), &["spec", "externalIPs"]).len();
    if addresses(is) > was.map_or(0, addresses) {
        say("takes external addresses".to_owned());
    }
    let ranges = |object: &Object| texts(object.tree(), &["spec", "loadBalancerSourceRanges"]).len();
    if now == "LoadBalancer" && was.is_some_and(|was| ranges(was) > 0) && ranges(is) == 0 {
        say("takes requests from every address".to_owned());
    }
}
