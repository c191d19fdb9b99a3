//! Chaos: what may go wrong goes wrong, in an order that a seed gives, and after each round the cluster equals the source.
//!
//! A round is a new version of the source and one or two of: the agent killed at a random moment, the API server killed and
//! started again, the network between the two cut, the registry gone or lying, etcd's history thrown away, objects changed,
//! deleted or taken over by others. After each: everything that the source says stands, nothing of ours remains
//! that it does not say, what was never ours is as it was, and the inventory is exact.
//!
//! 15 rounds; more by hand: `HYDRANT_CHAOS_ROUNDS=300 HYDRANT_CHAOS_SEED=7 cargo test --test agent_chaos -- --nocapture`.

#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "tests make files, keep time and read their environment")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/dice.rs"]
mod dice;
#[path = "support/kube.rs"]
mod kube;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/registry.rs"]
mod registry;
#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agent::{Agent, HOME, config_map, install, push, sync};
use dice::Dice;
use kube::Kube;
use proxy::{Mode, Proxy};
use registry::Registry;
use serde_json::Value;
use support::must;

const ROUNDS: u64 = 15;
const SEED: u64 = 0x00C0_FFEE;
/// How long a round may take until all is well.
const PATIENCE: Duration = Duration::from_secs(120);

fn environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Everything that takes part.
struct World {
    kube: Kube,
    registry: Registry,
    api: Proxy,
    image: Proxy,
    agent: Agent,
    kubeconfig: PathBuf,
    folder: tempfile::TempDir,
    /// What the source says: `NAMESPACE/NAME` and a value.
    source: BTreeMap<String, String>,
    /// Objects that others took from us.
    taken: BTreeSet<String>,
    replicas: u64,
}

impl World {
    fn start() -> World {
        let (kube, registry, folder) = (Kube::start(), Registry::start(), tempfile::tempdir().expect("a folder"));
        let (api, image) = (Proxy::start(&kube.server()), Proxy::start(&registry.host));
        let installed = install(&kube, folder.path(), &["--bind-roles"]);
        let kubeconfig = folder.path().join("proxied.kubeconfig");
        let config = fs::read_to_string(installed).expect("a kubeconfig").replace(&kube.server(), &api.host);
        fs::write(&kubeconfig, config).expect("written");
        for name in ["one", "two"] {
            must(kube.kubectl().args(["create", "ns", name]));
            kube.apply(&config_map(name, "theirs", "never ours"));
        }
        let agent = Agent::start(&kubeconfig, "r0", |_| {});
        let (source, taken) = (BTreeMap::new(), BTreeSet::new());
        World { kube, registry, api, image, agent, kubeconfig, folder, source, taken, replicas: 0 }
    }

    fn publish(&mut self, dice: &mut Dice) {
        self.source.clear();
        for namespace in ["one", "two"] {
            for number in 0..12 {
                if dice.roll(4) > 0 {
                    self.source.insert(format!("{namespace}/c{number}"), dice.roll(3).to_string());
                }
            }
        }
        let files: Vec<(String, String)> = self
            .source
            .iter()
            .map(|(id, value)| {
                let (namespace, name) = id.split_once('/').expect("a namespace");
                (format!("{namespace}-{name}.yaml"), config_map(namespace, name, value))
            })
            .collect();
        let files: Vec<(&str, String)> = files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
        let source: &Path = &self.folder.path().join("source");
        push(source, &format!("{}/chaos:v1", self.registry.host), &files);
    }

    fn restart_agent(&mut self) {
        self.agent.kill();
        self.replicas += 1;
        self.agent = Agent::start(&self.kubeconfig, &format!("r{}", self.replicas), |_| {});
    }

    /// One thing that goes wrong; its name is for the log.
    fn disturb(&mut self, dice: &mut Dice) -> String {
        let pause = |dice: &mut Dice, most: u64| std::thread::sleep(Duration::from_millis(dice.roll(most)));
        match dice.roll(9) {
            0 => {
                pause(dice, 3000);
                self.restart_agent();
                "the agent is killed".to_owned()
            }
            1 => {
                pause(dice, 1500);
                self.kube.restart_server();
                "the API server is killed".to_owned()
            }
            2 => {
                pause(dice, 1500);
                self.api.set(Mode::Cut);
                pause(dice, 9000);
                self.api.set(Mode::Pass);
                "the network is cut".to_owned()
            }
            3 => {
                self.image.set(Mode::Cut);
                pause(dice, 4000);
                self.image.set(Mode::Pass);
                "the registry is gone".to_owned()
            }
            4 => {
                self.image.set(Mode::Lie);
                pause(dice, 4000);
                self.image.set(Mode::Pass);
                "the registry lies".to_owned()
            }
            5 => {
                self.kube.compact();
                self.api.set(Mode::Cut);
                self.api.set(Mode::Pass);
                "watches expire".to_owned()
            }
            what => self.meddle(dice, what),
        }
    }

    /// Others write to an object of ours.
    fn meddle(&mut self, dice: &mut Dice, what: u64) -> String {
        let (namespace, name) = (["one", "two"][dice.roll(2) as usize], format!("c{}", dice.roll(12)));
        let id = format!("{namespace}/{name}");
        // what others took stays as they left it: that is what is looked at afterwards
        if self.taken.contains(&id) || self.kube.get("cm", namespace, &name).is_null() {
            return "nothing".to_owned();
        }
        let ask = |args: &[&str]| drop(support::run(self.kube.kubectl().args(args).args(["-n", namespace])));
        match what {
            6 => {
                ask(&["patch", "cm", &name, "--type=merge", "-p", r#"{"data":{"value":"drifted","more":"x"}}"#]);
                format!("{id} is changed")
            }
            7 => {
                ask(&["delete", "cm", &name, "--wait=false"]);
                format!("{id} is deleted")
            }
            _ => {
                // whoever takes an object over puts their own mark in the place of ours
                let patch = r#"{"metadata":{"labels":{"applyset.kubernetes.io/part-of":null},"annotations":{"config.k8s.io/owning-inventory":null,"meta.helm.sh/release-name":"web"}},"data":{"value":"taken"}}"#;
                ask(&["patch", "cm", &name, "--type=merge", "-p", patch]);
                if self.kube.get("cm", namespace, &name)["metadata"]["annotations"]["meta.helm.sh/release-name"]
                    == "web"
                {
                    self.taken.insert(id.clone());
                }
                format!("{id} is taken over")
            }
        }
    }

    /// What differs from what is to be, if anything.
    fn wrong(&self) -> Option<String> {
        let list = support::run(self.kube.kubectl().args(["get", "cm", "-n", "one", "-o", "json"]));
        let other = support::run(self.kube.kubectl().args(["get", "cm", "-n", "two", "-o", "json"]));
        let mut standing = BTreeMap::new();
        for list in [list, other] {
            let list: Value = serde_json::from_slice(&list.stdout).ok()?;
            for item in list["items"].as_array()? {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let id = format!("{}/{}", text(&item["metadata"]["namespace"]), text(&item["metadata"]["name"]));
                standing.insert(id, (text(&item["data"]["value"]), item["data"]["more"].is_string()));
            }
        }
        for id in ["one/theirs", "two/theirs"] {
            if standing.remove(id).map(|(value, _)| value).as_deref() != Some("never ours") {
                return Some(format!("{id} was never ours and is gone or changed"));
            }
        }
        for id in &self.taken {
            if standing.remove(id).map(|(value, _)| value).as_deref() != Some("taken") {
                return Some(format!("{id} is others' and is gone or changed"));
            }
        }
        standing.retain(|id, _| !id.ends_with("kube-root-ca.crt"));
        let wanted: BTreeMap<&String, &String> =
            self.source.iter().filter(|(id, _)| !self.taken.contains(*id)).collect();
        let values: BTreeMap<&String, &String> = standing.iter().map(|(id, (value, _))| (id, value)).collect();
        if values != wanted {
            return Some(format!("it stands {values:?}\nand is to be {wanted:?}"));
        }
        let inventory = self.kube.get("resourcegroups", HOME, "chaos");
        let members: BTreeSet<String> = inventory["spec"]["resources"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|member| {
                format!(
                    "{}/{}",
                    member["namespace"].as_str().unwrap_or_default(),
                    member["name"].as_str().unwrap_or_default()
                )
            })
            .filter(|id| !self.taken.contains(id))
            .collect();
        let ours: BTreeSet<String> = wanted.keys().map(|id| (*id).clone()).collect();
        (members != ours).then(|| format!("the inventory is {members:?}\nand is to be {ours:?}"))
    }

    /// Gives back what others took: their objects go.
    fn give_back(&mut self) {
        for id in std::mem::take(&mut self.taken) {
            let (namespace, name) = id.split_once('/').expect("a namespace");
            must(self.kube.kubectl().args(["delete", "cm", name, "-n", namespace, "--ignore-not-found"]));
        }
    }
}

#[test]
fn whatever_goes_wrong_the_cluster_ends_as_the_source_says() {
    let (rounds, seed) = (environment("HYDRANT_CHAOS_ROUNDS", ROUNDS), environment("HYDRANT_CHAOS_SEED", SEED));
    let mut dice = Dice(seed | 1);
    let mut world = World::start();
    world.publish(&mut dice);
    let confirm = "  annotations: {hydrant.dev/max-prune: '100%'}\n";
    let image = format!("{}/chaos:v1", world.image.host);
    let object = sync("RootSync", HOME, "chaos", &image, "1s", "    auth: none\n")
        .replace("  name: chaos\n", &format!("  name: chaos\n{confirm}"));
    world.kube.apply(&object);
    let begun = Instant::now();
    for round in 0..rounds {
        let mut said = Vec::new();
        if round > 0 {
            world.publish(&mut dice);
        }
        for _ in 0..=dice.roll(2) {
            said.push(world.disturb(&mut dice));
        }
        let since = Instant::now();
        while let Some(wrong) = world.wrong() {
            assert!(
                since.elapsed() < PATIENCE,
                "round {round} of seed {seed}: {said:?}: {wrong}\n{}",
                world.agent.log()
            );
            std::thread::sleep(Duration::from_millis(300));
        }
        println!("round {round} ({:?}): {}; well after {:?}", begun.elapsed(), said.join(", "), since.elapsed());
        if since.elapsed() > Duration::from_secs(20) {
            println!("it took long:\n{}", world.agent.log());
        }
        if dice.roll(3) == 0 {
            world.give_back();
        }
    }
}
