/// Header fields in the order and case in which they are, or were, on the wire. A name may occur many times;
/// a value may be empty, and need not be UTF-8.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, Vec<u8>)>);

impl Headers {
    /// Appends a field; an earlier one of the same name stays.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), value.into()));
    }

    /// The values of all fields of this name, in order; names are compared without regard to case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.0
            .iter()
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// The value of the first field of this name.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// The value of the first field of this name as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self, name: &str) -> Option<String> {
        self.first(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Whether a field of this name is there, be its value empty or not.
    pub fn contains(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// The members of a field that is a comma-separated list, over all fields of this name, trimmed and without
    /// empty members. Not for values in which quoted commas occur.
    pub fn members(&self, name: &str) -> Vec<String> {
        self.all(name)
            .flat_map(|value| {
                String::from_utf8_lossy(value)
                    .split(',')
                    .map(|member| member.trim().to_owned())
                    .filter(|member| !member.is_empty())
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

impl<N: Into<String>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<N: Into<String>, V: Into<Vec<u8>>, const COUNT: usize> From<[(N, V); COUNT]> for Headers {
    fn from(fields: [(N, V); COUNT]) -> Self {
        fields.into_iter().collect()
    }
}
