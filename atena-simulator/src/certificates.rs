use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn authority(name: &str) -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages.push(KeyUsagePurpose::DigitalSignature);
    params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    Ok((pem, Issuer::new(params, key)))
}

fn leaf(
    issuer: &Issuer<'static, KeyPair>,
    name: &str,
    use_: ExtendedKeyUsagePurpose,
) -> Result<(String, String), rcgen::Error> {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params.key_usages.push(KeyUsagePurpose::DigitalSignature);
    params.extended_key_usages.push(use_);
    let key = KeyPair::generate()?;
    let pem = params.signed_by(&key, issuer)?.pem();
    Ok((pem, key.serialize_pem()))
}

/// Makes a certification authority of its own and writes into `folder`, each readable by the owner alone: `ca.pem`,
/// `server.pem`, `server.key`, `client.pem`, `client.key`, and `stranger.pem`, `stranger.key`, signed by another authority.
/// The names are `localhost` and `127.0.0.1`.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_certificates(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let made = || -> Result<Vec<(&'static str, String)>, rcgen::Error> {
        let (ca, issuer) = authority("atena-simulator CA")?;
        let (_, other) = authority("another CA")?;
        let server = leaf(
            &issuer,
            "atena-simulator",
            ExtendedKeyUsagePurpose::ServerAuth,
        )?;
        let client = leaf(
            &issuer,
            "care-insurance",
            ExtendedKeyUsagePurpose::ClientAuth,
        )?;
        let stranger = leaf(&other, "stranger", ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(vec![
            ("ca.pem", ca),
            ("server.pem", server.0),
            ("server.key", server.1),
            ("client.pem", client.0),
            ("client.key", client.1),
            ("stranger.pem", stranger.0),
            ("stranger.key", stranger.1),
        ])
    };
    for (name, text) in made().map_err(std::io::Error::other)? {
        write(&folder.join(name), &text)?;
    }
    Ok(())
}
