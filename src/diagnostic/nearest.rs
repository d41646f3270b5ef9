//! The nearest known name to a mistyped one.

/// The candidate with the smallest edit distance to `name`, if it is close enough to be a slip:
/// at most a third of the longer name's length (and at least one edit allowed). Ties go to the first candidate.
///
/// Distance is Damerau–Levenshtein with adjacent transpositions (optimal string alignment), over characters.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let distance = distance(&name.to_lowercase(), &candidate.to_lowercase());
        let longest = name.chars().count().max(candidate.chars().count());
        if distance <= (longest / 3).max(1) && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let width = b.len() + 1;
    let mut d = vec![0usize; (a.len() + 1) * width];
    for i in 0..=a.len() {
        d[i * width] = i;
    }
    for (j, cell) in d.iter_mut().take(width).enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let substitution = d[(i - 1) * width + j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution
                .min(d[(i - 1) * width + j] + 1)
                .min(d[i * width + j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(d[(i - 2) * width + j - 2] + 1);
            }
            d[i * width + j] = best;
        }
    }
    d[a.len() * width + b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distances_by_hand() {
        assert_eq!(distance("kitten", "sitting"), 3); // the textbook case: k→s, e→i, +g
        assert_eq!(distance("stie", "site"), 1); // one adjacent transposition
        assert_eq!(distance("", "arm"), 3);
    }

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        assert_eq!(
            nearest("max_imbalnce", ["strata", "max_imbalance"]),
            Some("max_imbalance")
        );
        assert_eq!(nearest("colour", ["strata", "max_imbalance"]), None);
    }
}
