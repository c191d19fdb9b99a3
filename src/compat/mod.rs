//! Compat profiles: whose behaviour a render follows.
//!
//! Each known difference between tool versions is a method here, named for what differs; rooms ask for the
//! difference, never for the version. A difference stands here only when goldens of two real binaries differ.

use crate::diag::{Diagnostic, Result, did_you_mean};

/// The Helm releases whose bytes can be followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Helm {
    /// Helm 3.17.
    V3,
    /// Helm 4.1.
    V4_1,
    /// Helm 4.3, the default.
    #[default]
    V4_3,
}

/// The kustomize releases whose bytes can be followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kustomize {
    /// kustomize 5.4.
    V5_4,
    /// kustomize 5.7, the default.
    #[default]
    V5_7,
    /// kustomize 5.8.
    V5_8,
}

/// A row of behaviour: one Helm and one kustomize.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Whose templates.
    pub helm: Helm,
    /// Whose kustomizations.
    pub kustomize: Kustomize,
}

/// Every name that `--compat` takes, with what it sets.
const NAMES: &[(&str, Option<Helm>, Option<Kustomize>)] = &[
    ("helm-3", Some(Helm::V3), None),
    ("helm-4.1", Some(Helm::V4_1), None),
    ("helm-4.3", Some(Helm::V4_3), None),
    ("kustomize-5.4", None, Some(Kustomize::V5_4)),
    ("kustomize-5.7", None, Some(Kustomize::V5_7)),
    ("kustomize-5.8", None, Some(Kustomize::V5_8)),
    ("config-sync", Some(Helm::V3), Some(Kustomize::V5_4)),
    ("argocd", Some(Helm::V4_3), Some(Kustomize::V5_8)),
    ("flux", None, Some(Kustomize::V5_7)),
];

impl std::fmt::Display for Profile {
    /// The names that `--compat` takes: `helm-4.3,kustomize-5.7`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let helm = NAMES.iter().find(|row| row.1 == Some(self.helm) && row.2.is_none()).map_or("", |row| row.0);
        let kustomize =
            NAMES.iter().find(|row| row.2 == Some(self.kustomize) && row.1.is_none()).map_or("", |row| row.0);
        write!(f, "{helm},{kustomize}")
    }
}

impl Profile {
    /// Reads a comma-separated list of profile names; later names win. An empty list is the default profile.
    pub fn parse(list: &str) -> Result<Profile> {
        let mut profile = Profile::default();
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let Some((_, helm, kustomize)) = NAMES.iter().find(|row| row.0 == name) else {
                let names = NAMES.iter().map(|row| row.0);
                let fault = Diagnostic::input("compat-unknown", format!("unknown compat profile `{name}`"));
                return Err(Box::new(match did_you_mean(name, names.clone()) {
                    Some(near) => fault.hint(format!("use `{near}`")),
                    None => fault.hint(format!("use one of {}", names.collect::<Vec<_>>().join(", "))),
                }));
            };
            profile.helm = helm.unwrap_or(profile.helm);
            profile.kustomize = kustomize.unwrap_or(profile.kustomize);
        }
        Ok(profile)
    }

    /// Helm 4.2 and later keep the space at a document's end; earlier ones trim each document.
    pub fn document_end_kept(self) -> bool {
        self.helm >= Helm::V4_3
    }

    /// Helm 4.2 and later drop nulls that stand in a chart's own `values.yaml`.
    pub fn chart_nulls_removed(self) -> bool {
        self.helm >= Helm::V4_3
    }

    /// Helm 4 keeps a null that overrides nothing.
    pub fn null_without_default_kept(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// Helm 4 reads every document of a values file, Helm 3 the first.
    pub fn values_documents_merged(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// Helm 4 ends a values file that does not end in a line feed, be it text of two bytes a character or not.
    pub fn values_end_in_line_feed(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// Helm 4.3 limits what all files of a chart have together, earlier ones limit each file.
    pub fn chart_limited_as_a_whole(self) -> bool {
        self.helm >= Helm::V4_3
    }

    /// Helm 4.1 drops the last line of a values file if it has no line feed and fills its reader's buffer.
    pub fn full_last_line_dropped(self) -> bool {
        self.helm == Helm::V4_1
    }

    /// Helm 4 takes a JSON object for `--set-json`, not only `key=json`.
    pub fn set_json_takes_object(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// Helm 3 knows schemas of drafts 4 to 7 and reads later ones as draft 7.
    pub fn schemas_of_draft_7(self) -> bool {
        self.helm < Helm::V4_1
    }

    /// Helm 4 has the function `mustToYaml`.
    pub fn must_to_yaml_known(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// Helm 4.2 and later have `mustToToml` and functions on durations (`durationSeconds`, …).
    pub fn durations_known(self) -> bool {
        self.helm >= Helm::V4_3
    }

    /// Helm 4 takes a `--set` text that ends inside an index (`a[0`) for one that ends before it.
    pub fn open_index_ignored(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// Helm 4 refuses a chart whose `apiVersion` it does not know.
    pub fn chart_api_version_checked(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// Helm 4 shows templates `--kube-version` as given, Helm 3 as a semantic version.
    pub fn kube_version_kept_whole(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// Helm 4 prints whatever `child` and `parent` of `import-values` hold; Helm 3 dies of what is no text.
    pub fn import_values_printed(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// Helm 4 refuses a chart named `.` or `..`.
    pub fn chart_name_dots_refused(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// Helm 4 gives each row of `dependencies` a chart of its own. In Helm 3 two aliases of one chart share its rows and its
    /// subcharts: what one alias does to them the other sees, and subcharts may have paths under the chart's own name.
    pub fn aliases_copied_deep(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// In Helm 4 `.Chart` is a map, in Helm 3 a struct.
    pub fn chart_is_map(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// Helm 4 installs webhook configurations after every other known kind.
    pub fn webhooks_sorted_last(self) -> bool {
        self.helm >= Helm::V4_1
    }

    /// kustomize 5.7 has `images` reach `volumes[].image.reference`; 5.4 does not.
    pub fn images_reach_volumes(self) -> bool {
        self.kustomize >= Kustomize::V5_7
    }

    /// kustomize 5.7 has bindings of validating admission policies follow the policy's name; 5.4 does not.
    pub fn policy_bindings_follow_names(self) -> bool {
        self.kustomize >= Kustomize::V5_7
    }

    /// kustomize 5.7 sorts core Namespaces before objects of kind Namespace in other groups; 5.4 sorts by group.
    pub fn core_namespaces_sort_first(self) -> bool {
        self.kustomize >= Kustomize::V5_7
    }

    /// kustomize 5.7 keeps an object whose kind ends in `List` and that has no items; 5.4 drops it.
    pub fn lists_without_items_are_objects(self) -> bool {
        self.kustomize >= Kustomize::V5_7
    }

    /// `debug` and `devel` of charts came with kustomize 5.5.
    pub fn charts_have_debug_and_devel(self) -> bool {
        self.kustomize >= Kustomize::V5_7
    }

    /// kustomize 5.8 hands `namespace:` of the kustomization, or of an overlay of it, to charts that set none.
    pub fn charts_get_the_namespace(self) -> bool {
        self.kustomize >= Kustomize::V5_8
    }

    /// kustomize 5.8 skips the namespace transformer on objects that a chart made.
    pub fn namespace_skips_chart_objects(self) -> bool {
        self.kustomize >= Kustomize::V5_8
    }

    /// kustomize before 5.5 refuses a patch of nothing but comments, since it could be either kind.
    pub fn empty_patches_are_ambiguous(self) -> bool {
        self.kustomize < Kustomize::V5_7
    }

    /// kustomize 5.8 passes over a patch without operations; before, it needs a target and objects pass through JSON.
    pub fn empty_patches_do_nothing(self) -> bool {
        self.kustomize >= Kustomize::V5_8
    }

    /// `sourceValue` of replacements came with kustomize 5.5.
    pub fn replacement_source_values(self) -> bool {
        self.kustomize >= Kustomize::V5_7
    }

    /// From kustomize 5.8 on replacements reach into JSON and YAML that a scalar holds.
    pub fn replacements_reach_into_texts(self) -> bool {
        self.kustomize >= Kustomize::V5_8
    }

    /// kustomize 5.8 knows the options of a patch by name; before, any name may stand there.
    pub fn patch_options_are_known(self) -> bool {
        self.kustomize >= Kustomize::V5_8
    }

    /// kustomize 5.8 takes what selects a replacement's targets for regular expressions, and before for exact texts.
    pub fn replacement_targets_are_patterns(self) -> bool {
        self.kustomize >= Kustomize::V5_8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_add_up_and_typos_get_advice() {
        let profile = Profile::parse("helm-3, kustomize-5.8").expect("both names are known");
        assert_eq!((profile.helm, profile.kustomize), (Helm::V3, Kustomize::V5_8));
        assert_eq!(Profile::parse("").expect("nothing is the default"), Profile::default());
        let fault = Profile::parse("helm-4.2").expect_err("there is no such profile");
        assert!(fault.hints[0].contains("helm-4.1"), "{fault:?}");
    }
}
