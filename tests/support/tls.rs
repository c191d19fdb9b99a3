//! Certificates for tests, made by openssl.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::support::must;

/// An authority (`ca.pem`), and certificates that it signed: `server.pem` for loopback, and `client.pem`, with their keys.
pub(crate) fn certificates(folder: &Path) {
    let openssl = |line: &str| {
        must(Command::new("openssl").current_dir(folder).args(line.split(' ')));
    };
    fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").expect("written");
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2",
    );
    for name in ["server", "client"] {
        openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ));
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days 2 -extfile names"
        ));
    }
}
