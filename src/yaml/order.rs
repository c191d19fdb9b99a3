//! The order of keys in what go-yaml prints: numbers inside keys count as numbers, letters come after the rest.

use super::Look;

/// Sorts by key; the order of keys that contradict each other is some order, never a panic.
pub fn sort_keys<T>(entries: &mut [T], look: Look, key: impl Fn(&T) -> &str) {
    if entries.is_sorted_by(|a, b| !less(key(b), key(a), look)) {
        return;
    }
    // std's sorts may panic where an order contradicts itself; insertion by binary search cannot
    for index in 1..entries.len() {
        let place = entries[..index].partition_point(|before| !less(key(&entries[index]), key(before), look));
        entries[place..=index].rotate_right(1);
    }
}

/// go-yaml's comparison of keys. No total order for odd keys: digits past 64 bits, zeros after digits.
pub(super) fn less(a: &str, b: &str, look: Look) -> bool {
    let common = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let mut begin = common;
    while !a.is_char_boundary(begin) || !b.is_char_boundary(begin) {
        begin -= 1;
    }
    let (shared, rest_a, rest_b) = (&a[..begin], &a[begin..], &b[begin..]);
    let (Some(first_a), Some(first_b)) = (rest_a.chars().next(), rest_b.chars().next()) else {
        return rest_a.is_empty() && !rest_b.is_empty();
    };
    match (is_letter(first_a), is_letter(first_b)) {
        (true, true) => return first_a < first_b,
        (false, false) => {}
        (letter_a, letter_b) => {
            let after_digit = look == Look::V3 && shared.chars().next_back().is_some_and(is_digit);
            return if after_digit { letter_a } else { letter_b };
        }
    }
    let lead = u8::from(first_a == '0' || first_b == '0') * leading_one(shared);
    let (number_a, length_a) = leading_number(rest_a, lead);
    let (number_b, length_b) = leading_number(rest_b, lead);
    if number_a != number_b {
        number_a < number_b
    } else if length_a != length_b {
        length_a < length_b
    } else {
        first_a < first_b
    }
}

/// 1 if a digit other than zero stands in the digits that end the shared part: zeros after it count.
fn leading_one(shared: &str) -> u8 {
    u8::from(shared.chars().rev().take_while(|character| is_digit(*character)).any(|digit| digit != '0'))
}

/// The number at the beginning of a text, wrapping as Go's does, and how many digits it has.
fn leading_number(text: &str, lead: u8) -> (i64, usize) {
    let digits = text.chars().take_while(|character| is_digit(*character));
    digits.fold((i64::from(lead), 0), |(number, length), digit| {
        let value = i64::from(u32::from(digit)) - i64::from(b'0');
        (number.wrapping_mul(10).wrapping_add(value), length + 1)
    })
}

fn is_letter(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_alphabetic() } else { character.is_alphabetic() }
}

fn is_digit(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_digit() } else { character.is_numeric() && character.to_digit(10).is_none() && is_decimal(character) }
}

/// Decimal digits outside ASCII stand in runs of ten in Unicode; only common scripts are known here.
fn is_decimal(character: char) -> bool {
    let code = u32::from(character);
    [0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0xF20, 0xFF10]
        .iter()
        .any(|zero| (*zero..zero + 10).contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(look: Look, keys: &str) -> String {
        let mut keys: Vec<&str> = keys.split_whitespace().collect();
        sort_keys(&mut keys, look, |key| key);
        keys.join(" ")
    }

    #[test]
    fn numbers_count_as_numbers() {
        assert_eq!(sorted(Look::V2, "a10 a2 a1 b a"), "a a1 a2 a10 b");
        assert_eq!(sorted(Look::V2, "b-c b_c bc b.c b1"), "b-c b.c b_c b1 bc");
        assert_eq!(sorted(Look::V2, "B a _ 1"), "_ 1 B a");
    }

    #[test]
    fn after_digits_letters_come_first_in_v3() {
        assert_eq!(sorted(Look::V2, "a1b a1-"), "a1- a1b");
        assert_eq!(sorted(Look::V3, "a1b a1-"), "a1b a1-");
    }

    #[test]
    fn keys_that_contradict_each_other_do_not_panic() {
        let keys: Vec<String> = (0..200).map(|n| format!("a{}{}", "0".repeat(n % 7), n * 7919 % 101)).collect();
        let mut shuffled: Vec<&str> = keys.iter().map(String::as_str).collect();
        shuffled.reverse();
        sort_keys(&mut shuffled, Look::V2, |key| key);
        assert_eq!(shuffled.len(), 200);
    }
}
