//! A page of the manual from what a program says of itself.

/// The page of a program: what it is in a line, and its own help, one section for each.
pub fn page(program: &str, version: &str, what: &str, sections: &[(&str, &str)]) -> String {
    let mut page = format!(
        ".TH {} 1 \"\" \"{program} {version}\"\n.SH NAME\n{} \\- {what}\n",
        program.to_uppercase(),
        escaped(program)
    );
    for (heading, text) in sections {
        page.push_str(&format!(".SH {heading}\n.nf\n{}.fi\n", escaped(text)));
    }
    page
}

/// A text as `troff` shows it: no line is a request, and a hyphen is what people type.
fn escaped(text: &str) -> String {
    let mut escaped = text.replace('\\', "\\e").replace('-', "\\-");
    if escaped.starts_with(['.', '\'']) {
        escaped.insert_str(0, "\\&");
    }
    escaped.replace("\n.", "\n\\&.").replace("\n'", "\n\\&'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_is_no_request() {
        let page = page("a-b", "1", "does it", &[("USAGE", "a-b --x\n.so /etc/passwd\n'y' \\z\n")]);
        assert_eq!(
            page,
            ".TH A-B 1 \"\" \"a-b 1\"\n.SH NAME\na\\-b \\- does it\n.SH USAGE\n.nf\na\\-b \\-\\-x\n\\&.so /etc/passwd\n\\&'y' \\ez\n.fi\n"
        );
    }
}
