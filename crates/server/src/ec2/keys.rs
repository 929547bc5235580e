//! Key pairs.

use wire::xml::{Element, ec2_true};

use super::filters::{Filters, page};
use super::ids;
use super::key_material::{self, PublicKey};
use super::records::{KeyPairRecord, key, region_prefix};
use super::refuse;
use super::tags;
use crate::forms::records::{Kept, RecordError, Records};
use crate::forms::{ApiError, Context, Params, iso_ms};

pub(super) async fn create(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let name = name(params)?;
    match params.filled("KeyType") {
        None | Some("ed25519") => {}
        Some("rsa") => {
            return Err(ApiError::client(
                "UnsupportedOperation",
                "RSA keys are not made here: leave the key type out or say ed25519, or import the public part of an RSA key with ImportKeyPair",
            ));
        }
        Some(other) => {
            return Err(refuse::invalid_value(format!(
                "Value ({other}) for parameter KeyType is invalid"
            )));
        }
    }
    if params.filled("KeyFormat").is_some_and(|format| format != "pem") {
        return Err(ApiError::client("UnsupportedOperation", "Keys are given in PEM format only"));
    }
    let made = key_material::make(name);
    let pair = record(context, params, name, made.public)?;
    write(context, &pair).await?;
    Ok(Element::new("answer")
        .field("keyName", &pair.name)
        .field("keyFingerprint", &pair.fingerprint)
        .field("keyMaterial", made.private_pem)
        .field("keyPairId", &pair.id)
        .child(tags::element(&pair.tags)))
}

pub(super) async fn import(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let name = name(params)?;
    let material =
        params.filled("PublicKeyMaterial").ok_or_else(|| refuse::missing("PublicKeyMaterial"))?;
    let public = key_material::read_public(material).ok_or_else(|| {
        ApiError::client("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
    })?;
    let pair = record(context, params, name, public)?;
    write(context, &pair).await?;
    Ok(Element::new("answer")
        .field("keyName", &pair.name)
        .field("keyFingerprint", &pair.fingerprint)
        .field("keyPairId", &pair.id)
        .child(tags::element(&pair.tags)))
}

fn name(params: Params<'_>) -> Result<&str, ApiError> {
    let name = params.filled("KeyName").ok_or_else(|| refuse::missing("KeyName"))?;
    if name.chars().count() <= 255 && name.bytes().all(|b| (0x20..=0x7e).contains(&b)) {
        return Ok(name);
    }
    Err(refuse::invalid_value("A key name has at most 255 ASCII characters"))
}

fn record(
    context: &Context,
    params: Params<'_>,
    name: &str,
    public: PublicKey,
) -> Result<KeyPairRecord, ApiError> {
    Ok(KeyPairRecord {
        region: context.scope.region.clone(),
        name: name.to_owned(),
        id: ids::drawn("key"),
        key_type: public.key_type.to_owned(),
        fingerprint: public.fingerprint,
        public_key: public.line,
        created_ms: context.now.as_millis(),
        tags: tags::specified(params, "key-pair")?,
    })
}

async fn write(context: &Context, pair: &KeyPairRecord) -> Result<(), ApiError> {
    match context.records.write(vec![Records::create(pair)?]).await {
        Ok(()) => Ok(()),
        Err(RecordError::Conflict) => {
            let message = format!("The keypair already exists: {}", pair.name);
            Err(ApiError::client("InvalidKeyPair.Duplicate", message))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn describe(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let names = params.texts("KeyName");
    let wanted = params.texts("KeyPairId");
    let with_key = params.flag("IncludePublicKey").map_err(refuse::bad)?;
    let filters = Filters::read(params)?;
    let pairs: Vec<Kept<KeyPairRecord>> =
        context.records.list(&region_prefix(&context.scope.region)).await?;
    let unknown_name =
        names.iter().find(|name| pairs.iter().all(|kept| kept.record.name != **name));
    let unknown_id = wanted.iter().find(|id| pairs.iter().all(|kept| kept.record.id != **id));
    if let Some(unknown) = unknown_name.or(unknown_id) {
        return Err(refuse::no_key_pair(unknown));
    }
    let mut items = Vec::new();
    for Kept { record: pair, .. } in pairs {
        let values = |name: &str| {
            Some(vec![match name {
                "key-name" => pair.name.clone(),
                "key-pair-id" => pair.id.clone(),
                "fingerprint" => pair.fingerprint.clone(),
                _ => return None,
            }])
        };
        let asked_for = (names.is_empty() && wanted.is_empty())
            || names.contains(&pair.name.as_str())
            || wanted.contains(&pair.id.as_str());
        if filters.match_all(&pair.tags, values)? && asked_for {
            let element = Element::new("item")
                .field("keyPairId", &pair.id)
                .field("keyFingerprint", &pair.fingerprint)
                .field("keyName", &pair.name)
                .field("keyType", &pair.key_type)
                .optional("publicKey", with_key.then_some(&pair.public_key))
                .field("createTime", iso_ms(pair.created_ms))
                .child(tags::element(&pair.tags));
            items.push((pair.name, element));
        }
    }
    page(params, "keySet", items)
}

/// Deleting what is not there succeeds. Source: EC2 API reference, `DeleteKeyPair`.
pub(super) async fn delete(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let found = match (params.filled("KeyName"), params.filled("KeyPairId")) {
        (Some(name), _) => find(context, name).await?,
        (None, Some(id)) => find_by_id(context, id).await.ok(),
        (None, None) => return Err(refuse::missing("KeyName")),
    };
    let Some(pair) = found else { return Ok(ec2_true()) };
    match context.records.write(vec![Records::remove(&pair)]).await {
        Ok(()) => Ok(ec2_true().field("keyPairId", pair.record.id)),
        Err(RecordError::Conflict) => Err(refuse::concurrent()),
        Err(error) => Err(error.into()),
    }
}

/// The key pair of that name.
pub(super) async fn find(
    context: &Context,
    name: &str,
) -> Result<Option<Kept<KeyPairRecord>>, RecordError> {
    context.records.get(&key(&context.scope.region, name)).await
}

/// The key pair of that id.
pub(super) async fn find_by_id(
    context: &Context,
    id: &str,
) -> Result<Kept<KeyPairRecord>, ApiError> {
    let pairs = context.records.list(&region_prefix(&context.scope.region)).await?;
    let found = pairs.into_iter().find(|kept: &Kept<KeyPairRecord>| kept.record.id == id);
    found.ok_or_else(|| refuse::no_key_pair(id))
}
