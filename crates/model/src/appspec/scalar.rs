//! What a plain scalar means: YAML 1.1 as Ruby's Psych reads it.

use super::yaml::Value;

/// The value of a plain (unquoted) scalar.
pub(super) fn resolve(text: String) -> Value {
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        _ => boolean(&text)
            .map(Value::Bool)
            .or_else(|| integer(&text).map(Value::Integer))
            .or_else(|| sexagesimal(&text).map(Value::Integer))
            .or_else(|| float(&text).map(Value::Float))
            .unwrap_or(Value::Text(text)),
    }
}

/// Whether the scalar is an integer written with a leading zero, hence in octal.
pub(super) fn is_octal(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    digits.len() > 1
        && digits.starts_with('0')
        && digits.bytes().all(|b| (b'0'..=b'7').contains(&b))
}

/// A number as Ruby prints it: always with a decimal.
pub(super) fn float_text(number: f64) -> String {
    if number.is_finite() && number.fract() == 0.0 && number.abs() < 1e16 {
        format!("{number:.1}")
    } else if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else {
        number.to_string()
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = sign(text);
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', b'b' | b'B', ..] => (&digits[2..], 2),
        [b'0', _, ..] => (&digits[1..], 8),
        [b'0'..=b'9', ..] => (digits, 10),
        _ => return None,
    };
    let bare: String = digits.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    if bare.is_empty() || !bare.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let number = i64::from_str_radix(&bare, radix).unwrap_or(i64::MAX);
    Some(if negative { -number } else { number })
}

/// `1:30` and `190:20:30`: base 60, counted from hours.
/// Psych takes the first field for hours even where there are but two.
fn sexagesimal(text: &str) -> Option<i64> {
    let (negative, rest) = sign(text);
    let fields: Vec<&str> = rest.split(':').collect();
    if !(2..=3).contains(&fields.len()) || !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut total: i64 = 0;
    for (place, field) in fields.iter().enumerate() {
        let digits = field.len();
        let fits = if place == 0 { digits <= 12 } else { (1..=2).contains(&digits) };
        let number: i64 = field.parse().ok().filter(|_| fits)?;
        if field.bytes().any(|b| !b.is_ascii_digit()) || (place > 0 && number > 59) {
            return None;
        }
        let unit = [3600, 60, 1][place];
        total = total.checked_add(number.checked_mul(unit)?)?;
    }
    Some(if negative { -total } else { total })
}

/// A decimal number must have a dot: `1e3` is text.
fn float(text: &str) -> Option<f64> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" => return Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Some(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    let (_, digits) = sign(text);
    let numeric = digits.contains('.')
        && digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-' | '_' | ','));
    let bare: String = text.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    if numeric { bare.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_ruby_takes_them_for() {
        let integer = |text: &str, number: i64| {
            assert_eq!(resolve(text.into()), Value::Integer(number), "{text}");
        };
        integer("0644", 420);
        integer("-0644", -420);
        integer("1_000", 1000);
        integer("1,000", 1000);
        integer("1:30", 5400);
        integer("190:20:30", 685_230);
        integer("0x1F", 31);
        integer("0b11", 3);
        integer("0", 0);
        for text in [
            "0o644",
            "0989",
            "1e3",
            "y",
            "-",
            "_",
            ".",
            "1.2.3",
            "12:99",
            "2024-01-02",
            ":sym",
            "u+x",
        ] {
            assert_eq!(resolve(text.into()), Value::Text(text.into()), "{text}");
        }
        assert_eq!(resolve("0.0".into()), Value::Float(0.0));
        assert_eq!(resolve("On".into()), Value::Bool(true));
        assert_eq!(resolve("~".into()), Value::Null);
    }
}
