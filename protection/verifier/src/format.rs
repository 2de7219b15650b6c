//! Strict parser of one leaf (section 1 of the format).

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Largest leaf in bytes.
pub const MAX_LEAF: usize = 4096;

/// One parsed leaf; texts borrow from the bytes it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// Line number, from 1.
    pub line: u64,
    /// Place in the line's list, from 0.
    pub index: u32,
    /// Leaves of this line.
    pub count: u32,
    /// Microseconds since 1970-01-01 UTC.
    pub time: i64,
    /// Whether the act was allowed.
    pub allowed: bool,
    /// User id, zeros for the system.
    pub actor: [u8; 16],
    /// Organisation id, zeros for the system.
    pub organisation: [u8; 16],
    /// Bit mask of data classes.
    pub classes: u32,
    /// Role the actor used.
    pub role: &'a str,
    /// `noun.verb`.
    pub action: &'a str,
    /// Purpose code.
    pub purpose: &'a str,
    /// Ids of the deciding policies.
    pub policy: &'a str,
    /// Hash of the sealed reason, zeros when there is none.
    pub details: Hash,
    /// What the kind adds.
    pub body: Body,
}

/// The part of a leaf that depends on its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Kind 1: the line touched nobody.
    Nobody,
    /// Kind 2: one person.
    Person {
        /// The person's token.
        token: Hash,
        /// Place in the person's chain, from 1.
        sequence: u64,
        /// Leaf hash of the person's previous leaf, zeros for the first.
        previous: Hash,
    },
    /// Kind 3: the map over all chains before this leaf.
    Map {
        /// Number of persons with a chain.
        persons: u64,
        /// Root over their entries.
        root: Hash,
    },
}

/// Why bytes are not a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatError {
    /// Longer than [`MAX_LEAF`].
    TooLong,
    /// Ends inside a field.
    Short,
    /// Bytes follow the last field.
    Trailing,
    /// Version is not 1.
    Version(u8),
    /// Kind is none of 1, 2, 3.
    Kind(u8),
    /// Line number 0.
    Line,
    /// `index` is not below `count`, or not 0 of 1 for kinds 1 and 3.
    Index,
    /// Decision is neither 0 nor 1.
    Decision(u8),
    /// A text is not UTF-8.
    Text,
    /// Sequence 0.
    Sequence,
}

impl FormatError {
    /// The reason in Japanese.
    #[must_use]
    pub fn ja(self) -> String {
        match self {
            Self::TooLong => format!("{MAX_LEAF} バイトを超えています"),
            Self::Short => "途中で終わっています".into(),
            Self::Trailing => "最後の項目の後に余分なバイトがあります".into(),
            Self::Version(v) => format!("版が {v} です"),
            Self::Kind(k) => format!("種別が {k} です"),
            Self::Line => "行番号が 0 です".into(),
            Self::Index => "一覧の位置と件数が合いません".into(),
            Self::Decision(d) => format!("判定が {d} です"),
            Self::Text => "文字列が UTF-8 ではありません".into(),
            Self::Sequence => "通し番号が 0 です".into(),
        }
    }

    /// The reason in English.
    #[must_use]
    pub fn en(self) -> String {
        match self {
            Self::TooLong => format!("longer than {MAX_LEAF} bytes"),
            Self::Short => "it ends inside a field".into(),
            Self::Trailing => "bytes follow the last field".into(),
            Self::Version(v) => format!("version {v}"),
            Self::Kind(k) => format!("kind {k}"),
            Self::Line => "line number 0".into(),
            Self::Index => "index and count do not fit".into(),
            Self::Decision(d) => format!("decision {d}"),
            Self::Text => "a text is not UTF-8".into(),
            Self::Sequence => "sequence 0".into(),
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(FormatError::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, FormatError> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, FormatError> {
        self.take().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, FormatError> {
        self.take().map(u64::from_be_bytes)
    }

    fn text(&mut self) -> Result<&'a str, FormatError> {
        let length = usize::from(u16::from_be_bytes(self.take()?));
        let (head, rest) = self.0.split_at_checked(length).ok_or(FormatError::Short)?;
        self.0 = rest;
        std::str::from_utf8(head).map_err(|_| FormatError::Text)
    }
}

impl<'a> Leaf<'a> {
    /// Parses exactly one leaf; every byte must belong to a field.
    ///
    /// # Errors
    /// The first rule of section 1 that the bytes break.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FormatError> {
        if bytes.len() > MAX_LEAF {
            return Err(FormatError::TooLong);
        }
        let mut r = Reader(bytes);
        match r.u8()? {
            1 => {}
            other => return Err(FormatError::Version(other)),
        }
        let kind = r.u8()?;
        if !(1..=3).contains(&kind) {
            return Err(FormatError::Kind(kind));
        }
        let line = r.u64()?;
        if line == 0 {
            return Err(FormatError::Line);
        }
        let (index, count) = (r.u32()?, r.u32()?);
        if index >= count || (kind != 2 && count != 1) {
            return Err(FormatError::Index);
        }
        let time = i64::from_be_bytes(r.take()?);
        let allowed = match r.u8()? {
            0 => false,
            1 => true,
            other => return Err(FormatError::Decision(other)),
        };
        let (actor, organisation, classes) = (r.take()?, r.take()?, r.u32()?);
        let (role, action, purpose, policy) = (r.text()?, r.text()?, r.text()?, r.text()?);
        let details = r.take()?;
        let body = match kind {
            2 => {
                let (token, sequence, previous) = (r.take()?, r.u64()?, r.take()?);
                if sequence == 0 {
                    return Err(FormatError::Sequence);
                }
                Body::Person {
                    token,
                    sequence,
                    previous,
                }
            }
            3 => Body::Map {
                persons: r.u64()?,
                root: r.take()?,
            },
            _ => Body::Nobody,
        };
        if !r.0.is_empty() {
            return Err(FormatError::Trailing);
        }
        Ok(Self {
            line,
            index,
            count,
            time,
            allowed,
            actor,
            organisation,
            classes,
            role,
            action,
            purpose,
            policy,
            details,
            body,
        })
    }
}
