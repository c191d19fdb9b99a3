//! Certificates: authorities, signed and self-signed ones, of the structure that Go's x509 gives them.
//!
//! Bytes differ from run to run in Helm too; kept are PEM types, key sizes, extensions and their order, names, serial and validity.

use std::any::Any;
use std::borrow::Cow;
use std::net::IpAddr;

use sha2::Digest as _;

use super::der::{Reader, bit_string, from_pem, integer, sequence, tag, to_pem, value};
use super::encoding::decode_base64;
use super::entropy::Entropy;
use super::keys::PrivateKey;
use super::text::display;
use crate::go::time::{Time, Zone};
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, Kind, Map, Object, Str, Ty, Val};

type Answer = Result<Val, FuncError>;

const TYPE: &str = "sprig.certificate";
/// Bits of the keys that come with certificates.
const RSA_BITS: usize = 2048;

/// `sprig.certificate`: a certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) cert: String,
    pub(super) key: String,
}

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("genPrivateKey", &[Ty::Str], |ctx, args| {
        let kind = args.str(0).to_str_lossy().into_owned();
        let made = PrivateKey::new(&mut Entropy::of(ctx)?, &kind);
        Ok(match made {
            None => format!("Unknown type {kind}").into(),
            Some(key) => key.and_then(|key| key.to_pem()).unwrap_or_else(|fault| format!("failed to generate private key: {fault}")).into(),
        })
    }),
    FuncSpec::fixed("buildCustomCert", &[Ty::Str, Ty::Str], |_, args| custom(args.bytes(0), args.bytes(1))),
    FuncSpec::fixed("genCA", &[Ty::Str, Ty::Int], |ctx, args| {
        let subject = Subject::authority(&args);
        let key = fresh_key(ctx)?;
        issue(ctx, &subject, &key, None)
    }),
    FuncSpec::fixed("genCAWithKey", &[Ty::Str, Ty::Int, Ty::Str], |ctx, args| {
        let subject = Subject::authority(&args);
        issue(ctx, &subject, &given_key(&args, 2)?, None)
    }),
    FuncSpec::fixed("genSelfSignedCert", &[Ty::Str, Ty::List, Ty::List, Ty::Int], |ctx, args| {
        let key = fresh_key(ctx)?;
        issue(ctx, &Subject::leaf(&args)?, &key, None)
    }),
    FuncSpec::fixed("genSelfSignedCertWithKey", &[Ty::Str, Ty::List, Ty::List, Ty::Int, Ty::Str], |ctx, args| {
        let key = given_key(&args, 4)?;
        issue(ctx, &Subject::leaf(&args)?, &key, None)
    }),
    FuncSpec::fixed("genSignedCert", &[Ty::Str, Ty::List, Ty::List, Ty::Int, Ty::Named(TYPE)], |ctx, args| {
        let key = fresh_key(ctx)?;
        let authority = Authority::of(args.val(4))?;
        issue(ctx, &Subject::leaf(&args)?, &key, Some(&authority))
    }),
    FuncSpec::fixed("genSignedCertWithKey", &[Ty::Str, Ty::List, Ty::List, Ty::Int, Ty::Named(TYPE), Ty::Str], |ctx, args| {
        let key = given_key(&args, 5)?;
        let authority = Authority::of(args.val(4))?;
        issue(ctx, &Subject::leaf(&args)?, &key, Some(&authority))
    }),
];

fn fresh_key(ctx: &mut Ctx<'_>) -> Result<PrivateKey, FuncError> {
    let key = PrivateKey::new_rsa(&mut Entropy::of(ctx)?, RSA_BITS);
    key.map_err(|fault| format!("error generating rsa key: {fault}").into())
}

fn given_key(args: &Args<'_>, index: usize) -> Result<PrivateKey, String> {
    PrivateKey::from_pem(&args.str(index).to_str_lossy()).map_err(|fault| format!("parsing private key: {fault}"))
}

/// What a certificate is about.
struct Subject {
    name: Str,
    days: i64,
    addresses: Vec<IpAddr>,
    hosts: Vec<Str>,
    is_authority: bool,
}

impl Subject {
    fn authority(args: &Args<'_>) -> Subject {
        Subject { name: args.str(0), days: args.int(1), addresses: Vec::new(), hosts: Vec::new(), is_authority: true }
    }

    fn leaf(args: &Args<'_>) -> Result<Subject, String> {
        let list = |index: usize| args.list(index).map(|list| list.to_vec()).unwrap_or_default();
        let shown = |value: &Val| String::from_utf8_lossy(&display(value)).into_owned();
        let mut addresses = Vec::new();
        for value in list(1) {
            let text = value.as_str().ok_or_else(|| format!("error parsing ip: {} is not a string", shown(&value)))?;
            let address = text.as_str().and_then(|text| text.parse::<IpAddr>().ok());
            addresses.push(address.ok_or_else(|| format!("error parsing ip: {text}"))?);
        }
        let mut hosts = Vec::new();
        for value in list(2) {
            let no_string = || format!("error processing alternate dns name: {} is not a string", shown(&value));
            hosts.push(value.as_str().ok_or_else(no_string)?.clone());
        }
        Ok(Subject { name: args.str(0), days: args.int(3), addresses, hosts, is_authority: false })
    }

    /// The distinguished name: a common name alone, or nothing.
    fn distinguished_name(&self) -> Vec<u8> {
        if self.name.is_empty() {
            return sequence(&[]);
        }
        let printable = |byte: &u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(byte);
        let kind = if self.name.as_bytes().iter().all(printable) { tag::PRINTABLE_STRING } else { tag::UTF8_STRING };
        let attribute = sequence(&[&value(tag::OID, &[&[0x55, 4, 3]]), &value(kind, &[self.name.as_bytes()])]);
        sequence(&[&value(tag::SET, &[&attribute])])
    }

    fn extensions(&self, key_id: &[u8], authority_id: Option<&[u8]>) -> Vec<u8> {
        let critical = value(tag::BOOLEAN, &[&[0xff]]);
        let extension = |number: u8, is_critical: bool, content: &[u8]| {
            let id = value(tag::OID, &[&[0x55, 0x1d, number]]);
            let mark: &[u8] = if is_critical { &critical } else { &[] };
            sequence(&[&id, mark, &value(tag::OCTET_STRING, &[content])])
        };
        // Digital signature and key encipherment; for authorities signing of certificates too.
        let usage: &[u8] = if self.is_authority { &[2, 0xa4] } else { &[5, 0xa0] };
        let purpose = |last: u8| value(tag::OID, &[&[0x2b, 6, 1, 5, 5, 7, 3, last]]);
        let constraints = if self.is_authority { sequence(&[&critical]) } else { sequence(&[]) };
        let mut all = vec![
            extension(15, true, &value(tag::BIT_STRING, &[usage])),
            extension(37, false, &sequence(&[&purpose(1), &purpose(2)])),
            extension(19, true, &constraints),
        ];
        if self.is_authority {
            all.push(extension(14, false, &value(tag::OCTET_STRING, &[key_id])));
        }
        if let Some(id) = authority_id {
            all.push(extension(35, false, &sequence(&[&value(tag::plain_context(0), &[id])])));
        }
        let hosts = self.hosts.iter().map(|host| value(tag::plain_context(2), &[host.as_bytes()]));
        let addresses = self.addresses.iter().map(|address| match address.to_canonical() {
            IpAddr::V4(address) => value(tag::plain_context(7), &[&address.octets()]),
            IpAddr::V6(address) => value(tag::plain_context(7), &[&address.octets()]),
        });
        let names: Vec<Vec<u8>> = hosts.chain(addresses).collect();
        if !names.is_empty() {
            all.push(extension(17, self.name.is_empty(), &sequence(&[&names.concat()])));
        }
        value(tag::context(3), &[&sequence(&[&all.concat()])])
    }
}

/// Who signs: the name and key identifier from its certificate, and its key.
struct Authority {
    name: Vec<u8>,
    key_id: Option<Vec<u8>>,
    key: PrivateKey,
}

impl Authority {
    fn of(certificate: &Val) -> Result<Authority, String> {
        let certificate = certificate.as_object::<Certificate>().ok_or("unable to decode certificate")?;
        let (_, der) = from_pem(&certificate.cert).ok_or("unable to decode certificate")?;
        let malformed = "error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate";
        let (name, key_id, public) = read_certificate(&der).ok_or(malformed)?;
        let key = PrivateKey::from_pem(&certificate.key).map_err(|fault| format!("error parsing private key: {fault}"))?;
        if key.public_info()? != public {
            return Err("error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey".to_owned());
        }
        Ok(Authority { name, key_id, key })
    }
}

/// Subject, subject key identifier and public key of a certificate.
#[expect(clippy::type_complexity, reason = "three parts, named above")]
fn read_certificate(der: &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>, Vec<u8>)> {
    let mut body = Reader::new(der).enter(tag::SEQUENCE)?.enter(tag::SEQUENCE)?;
    if body.peek() == Some(tag::context(0)) {
        body.next()?;
    }
    body.take(tag::INTEGER)?;
    body.take(tag::SEQUENCE)?;
    body.take(tag::SEQUENCE)?;
    body.take(tag::SEQUENCE)?;
    let (_, _, subject) = body.next()?;
    let (_, _, public) = body.next()?;
    let mut key_id = None;
    while let Some((found, content, _)) = body.next() {
        if found != tag::context(3) {
            continue;
        }
        let mut extensions = Reader::new(content).enter(tag::SEQUENCE)?;
        while let Some(mut extension) = extensions.enter(tag::SEQUENCE) {
            if extension.take(tag::OID)? == [0x55, 0x1d, 14] {
                key_id = Reader::new(extension.take(tag::OCTET_STRING)?).take(tag::OCTET_STRING).map(<[u8]>::to_vec);
            }
        }
    }
    Some((subject.to_vec(), key_id, public.to_vec()))
}

/// Seconds since 1970 as a certificate's time: two digits of the year up to 2049, four from then on.
fn time(seconds: i64) -> Vec<u8> {
    let time = Time { seconds, nanoseconds: 0, zone: Zone::Utc };
    let year: i64 = String::from_utf8_lossy(&time.format(b"2006")).parse().unwrap_or(0);
    if (1950..2050).contains(&year) {
        value(tag::UTC_TIME, &[&time.format(b"060102150405Z")])
    } else {
        value(tag::GENERALIZED_TIME, &[&time.format(b"20060102150405Z")])
    }
}

/// Makes and signs a certificate; without an authority it signs itself.
fn issue(ctx: &mut Ctx<'_>, subject: &Subject, key: &PrivateKey, authority: Option<&Authority>) -> Answer {
    let (now, _) = ctx.host().now();
    let serial = Entropy::of(ctx)?.bytes::<16>();
    let signer = authority.map_or(key, |authority| &authority.key);
    let name = subject.distinguished_name();
    let issuer = authority.map_or(&name, |authority| &authority.name);
    let failed = |fault: String| format!("error creating certificate: {fault}");
    let public = key.public_info().map_err(failed)?;
    let key_id = &sha2::Sha256::digest(key.public_bits().map_err(failed)?)[..20];
    let authority_id = authority.filter(|_| *issuer != name).and_then(|authority| authority.key_id.as_deref());
    let until = now.saturating_add(subject.days.saturating_mul(86_400));
    let algorithm = signer.signature_algorithm();
    let body = sequence(&[
        &value(tag::context(0), &[&integer(&[2])]),
        &integer(&serial),
        &algorithm,
        issuer,
        &sequence(&[&time(now), &time(until)]),
        &name,
        &public,
        &subject.extensions(key_id, authority_id),
    ]);
    let signature = signer.sign(&body).map_err(failed)?;
    let der = sequence(&[&body, &algorithm, &bit_string(&signature)]);
    Ok(Val::object(Certificate { cert: to_pem("CERTIFICATE", &der), key: key.to_pem()? }))
}

fn custom(cert: &[u8], key: &[u8]) -> Answer {
    let decode = |text: &[u8], what: &str| {
        let bytes = decode_base64(text).map_err(|_| format!("unable to decode base64 {what}"))?;
        Ok::<_, String>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let cert = decode(cert, "certificate")?;
    let key = decode(key, "private key")?;
    let (_, der) = from_pem(&cert).ok_or("unable to decode certificate")?;
    let malformed = "error parsing certificate: decodedCert.Bytes: x509: malformed certificate";
    read_certificate(&der).ok_or(malformed)?;
    PrivateKey::from_pem(&key).map_err(|fault| format!("error parsing private key: {fault}"))?;
    Ok(Val::object(Certificate { cert, key }))
}

impl Object for Certificate {
    fn type_name(&self) -> Cow<'_, str> {
        TYPE.into()
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn field(&self, name: &str) -> Option<Val> {
        match name {
            "Cert" => Some(self.cert.as_str().into()),
            "Key" => Some(self.key.as_str().into()),
            _ => None,
        }
    }

    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{{{} {}}}", self.cert, self.key).as_bytes());
    }

    fn is_stringer(&self) -> bool {
        false
    }

    fn plain(&self) -> Val {
        let entries = [(Str::from("Cert"), self.cert.as_str()), (Str::from("Key"), self.key.as_str())];
        entries.into_iter().map(|(key, text)| (key, Val::from(text))).collect::<Map>().into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
