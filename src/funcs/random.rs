//! Random texts and numbers, all drawn through [`Entropy`].

use super::entropy::Entropy;
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, Ty, Val};

type Answer = Result<Val, FuncError>;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("randAlphaNum", &[Ty::Int], |ctx, args| text(ctx, args.int(0), ALPHANUMERIC)),
    FuncSpec::fixed("randAlpha", &[Ty::Int], |ctx, args| text(ctx, args.int(0), LETTERS)),
    FuncSpec::fixed("randNumeric", &[Ty::Int], |ctx, args| text(ctx, args.int(0), DIGITS)),
    FuncSpec::fixed("randAscii", &[Ty::Int], |ctx, args| {
        let printable: Vec<u8> = (b' '..=b'~').collect();
        text(ctx, args.int(0), &printable)
    }),
    FuncSpec::fixed("randInt", &[Ty::Int, Ty::Int], number),
    FuncSpec::fixed("randBytes", &[Ty::Int], bytes),
    FuncSpec::fixed("uuidv4", &[], uuid),
    FuncSpec::fixed("shuffle", &[Ty::Str], shuffle),
];

/// A count below 0 gives nothing: sprig drops goutils' error.
fn text(ctx: &mut Ctx<'_>, count: i64, set: &[u8]) -> Answer {
    let count = u64::try_from(count).unwrap_or(0);
    ctx.charge(count)?;
    let mut entropy = Entropy::of(ctx)?;
    Ok((0..count).map(|_| set[entropy.below(set.len() as u64) as usize]).collect::<Vec<u8>>().into())
}

fn number(ctx: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let (low, high) = (args.int(0), args.int(1));
    let span = high.wrapping_sub(low);
    if span <= 0 {
        return Err("invalid argument to Intn".into());
    }
    Ok(Val::int(low.wrapping_add(Entropy::of(ctx)?.below(span as u64) as i64)))
}

fn bytes(ctx: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let count = u64::try_from(args.int(0)).map_err(|_| FuncError::new("runtime error: makeslice: len out of range"))?;
    ctx.charge(count)?;
    let mut out = vec![0; count as usize];
    Entropy::of(ctx)?.fill(&mut out);
    Ok(data_encoding::BASE64.encode(&out).into())
}

fn uuid(ctx: &mut Ctx<'_>, _: Args<'_>) -> Answer {
    let mut id = Entropy::of(ctx)?.bytes::<16>();
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&id);
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-").into())
}

fn shuffle(ctx: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let mut chars: Vec<char> = args.str(0).to_str_lossy().chars().collect();
    let mut entropy = Entropy::of(ctx)?;
    for last in (1..chars.len()).rev() {
        chars.swap(last, entropy.below(last as u64 + 1) as usize);
    }
    Ok(chars.into_iter().collect::<String>().into())
}
