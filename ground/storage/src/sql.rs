use crate::Engine;

/// Rewrites `?` to `$1`, `$2` ... for PostgreSQL. Our SQL holds no literal `?`.
pub(crate) fn placeholders(engine: Engine, sql: &str) -> String {
    if engine == Engine::Sqlite {
        return sql.to_owned();
    }
    let mut out = String::with_capacity(sql.len() + 16);
    let mut n = 0;
    for c in sql.chars() {
        if c == '?' {
            n += 1;
            out.push('$');
            out.push_str(&n.to_string());
        } else {
            out.push(c);
        }
    }
    out
}

/// Replaces the type tokens of DDL: `{int}`, `{text}`, `{blob}`, `{clustered}`.
pub(crate) fn types(engine: Engine, ddl: &str) -> String {
    let (int, text, blob, clustered) = match engine {
        Engine::Sqlite => ("INTEGER", "TEXT", "BLOB", "WITHOUT ROWID"),
        // Binary collation, so that both engines sort and compare alike.
        Engine::Postgres => ("BIGINT", "TEXT COLLATE \"C\"", "BYTEA", ""),
    };
    ddl.replace("{int}", int)
        .replace("{text}", text)
        .replace("{blob}", blob)
        .replace("{clustered}", clustered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_for_postgresql_only() {
        let sql = "SELECT a FROM t WHERE b = ? AND c IN (?, ?)";
        assert_eq!(placeholders(Engine::Sqlite, sql), sql);
        assert_eq!(
            placeholders(Engine::Postgres, sql),
            "SELECT a FROM t WHERE b = $1 AND c IN ($2, $3)"
        );
    }
}
