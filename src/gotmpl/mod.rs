//! The Go text/template language and its values; knows no Helm and no Kubernetes.
