//! Regions, zones, networks, images and instance types: there to be found by clients that look for them.
//!
//! A region has one default VPC with a subnet per zone. Nothing is made of them here: where instances get their
//! addresses from is the local hosts' affair.

use std::net::Ipv4Addr;

use model::arn::Scope;
use wire::xml::Element;

use super::filters::{Filters, page};
use super::ids;
use super::records::Tags;
use super::refuse;
use crate::forms::{ApiError, Context, Params};

/// The image that has the agent installed. Instances are made of it when no image is named.
pub const IMAGE_WITH_AGENT: &str = "ami-00000000000000001";

/// The image without the agent. It is the one that CodeDeploy's guide starts from, where Amazon Linux was meant.
pub const IMAGE_BARE: &str = "ami-b66ed3de";

struct Image {
    id: &'static str,
    name: &'static str,
    description: &'static str,
}

const IMAGES: [Image; 2] = [
    Image {
        id: IMAGE_WITH_AGENT,
        name: "longshore-agent",
        description: "This machine's own file tree, with longshore-agent installed",
    },
    Image {
        id: IMAGE_BARE,
        name: "longshore-bare",
        description: "This machine's own file tree, without an agent",
    },
];

/// Whether there is such an image.
pub(super) fn has_image(id: &str) -> bool {
    IMAGES.iter().any(|image| image.id == id)
}

/// The default VPC of the region.
pub(super) fn vpc_id(scope: &Scope) -> String {
    ids::fixed("vpc", scope, "vpc")
}

/// The subnet in a zone of the region.
pub(super) fn subnet_id(scope: &Scope, zone: &str) -> String {
    ids::fixed("subnet", scope, zone)
}

/// The zones of a region.
pub(super) fn zones(region: &str) -> [String; 3] {
    ["a", "b", "c"].map(|letter| format!("{region}{letter}"))
}

/// The zone of a subnet.
pub(super) fn zone_of_subnet(scope: &Scope, subnet: &str) -> Option<String> {
    zones(&scope.region).into_iter().find(|zone| subnet_id(scope, zone) == subnet)
}

pub(super) fn describe_images(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let wanted = params.texts("ImageId");
    if let Some(unknown) = wanted.iter().find(|id| !has_image(id)) {
        return Err(refuse::no_image(unknown));
    }
    let owners = params.texts("Owner");
    let ours = ["self", "amazon", &context.scope.account];
    let is_ours = owners.is_empty() || owners.iter().any(|owner| ours.contains(owner));
    let filters = Filters::read(params)?;
    let mut items = Vec::new();
    for image in &IMAGES {
        let values = |name: &str| {
            Some(vec![match name {
                "image-id" => image.id.to_owned(),
                "name" => image.name.to_owned(),
                "description" => image.description.to_owned(),
                "owner-id" => context.scope.account.clone(),
                "owner-alias" => "amazon".to_owned(),
                "state" => "available".to_owned(),
                "architecture" => architecture().to_owned(),
                "image-type" => "machine".to_owned(),
                "is-public" => "true".to_owned(),
                "root-device-type" => "ebs".to_owned(),
                "virtualization-type" => "hvm".to_owned(),
                "hypervisor" => "xen".to_owned(),
                "platform" => String::new(),
                _ => return None,
            }])
        };
        let matches = filters.match_all(&Tags::new(), values)?;
        if is_ours && matches && (wanted.is_empty() || wanted.contains(&image.id)) {
            items.push((image.id.to_owned(), image_element(context, image)));
        }
    }
    page(params, "imagesSet", items)
}

fn image_element(context: &Context, image: &Image) -> Element {
    Element::new("item")
        .field("imageId", image.id)
        .field("imageLocation", format!("amazon/{}", image.name))
        .field("imageState", "available")
        .field("imageOwnerId", &context.scope.account)
        .field("imageOwnerAlias", "amazon")
        .field("isPublic", true)
        .field("architecture", architecture())
        .field("imageType", "machine")
        .field("name", image.name)
        .field("description", image.description)
        .field("rootDeviceType", "ebs")
        .field("rootDeviceName", "/dev/xvda")
        .field("virtualizationType", "hvm")
        .field("hypervisor", "xen")
        .field("creationDate", "2014-11-01T00:00:00.000Z")
}

/// As EC2 names the architecture of the machine that instances run on.
pub(super) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    }
}

pub(super) fn describe_zones(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let filters = Filters::read(params)?;
    let wanted = params.texts("ZoneName");
    let region = &context.scope.region;
    let mut items = Vec::new();
    for (number, zone) in zones(region).into_iter().enumerate() {
        let id = format!("use1-az{}", number + 1);
        let values = |name: &str| {
            Some(vec![match name {
                "zone-name" => zone.clone(),
                "zone-id" => id.clone(),
                "region-name" | "group-name" => region.clone(),
                "state" => "available".to_owned(),
                "opt-in-status" => "opt-in-not-required".to_owned(),
                "zone-type" => "availability-zone".to_owned(),
                _ => return None,
            }])
        };
        if filters.match_all(&Tags::new(), values)?
            && (wanted.is_empty() || wanted.contains(&zone.as_str()))
        {
            let element = Element::new("item")
                .field("zoneName", &zone)
                .field("zoneState", "available")
                .field("regionName", region)
                .child(Element::new("messageSet"))
                .field("optInStatus", "opt-in-not-required")
                .field("zoneId", &id)
                .field("groupName", region)
                .field("networkBorderGroup", region)
                .field("zoneType", "availability-zone");
            items.push((zone, element));
        }
    }
    page(params, "availabilityZoneInfo", items)
}

/// Any region may be named in a request; these are the ones that are listed, and the caller's own.
const REGIONS: [&str; 6] =
    ["eu-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"];

pub(super) fn describe_regions(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let mut regions: Vec<&str> = REGIONS.to_vec();
    if !regions.contains(&context.scope.region.as_str()) {
        regions.push(&context.scope.region);
    }
    let wanted = params.texts("RegionName");
    let items = regions
        .into_iter()
        .filter(|region| wanted.is_empty() || wanted.contains(region))
        .map(|region| {
            let element = Element::new("item")
                .field("regionName", region)
                .field("regionEndpoint", format!("ec2.{region}.amazonaws.com"))
                .field("optInStatus", "opt-in-not-required");
            (region.to_owned(), element)
        });
    page(params, "regionInfo", items.collect())
}

/// The addresses of the region's network: the local hosts' own, or what a default VPC of AWS has.
fn network(context: &Context) -> Ipv4Addr {
    match &context.performer {
        Some(performer) => {
            let [a, b, ..] = performer.gateway().octets();
            Ipv4Addr::new(a, b, 0, 0)
        }
        None => Ipv4Addr::new(172, 31, 0, 0),
    }
}

pub(super) fn describe_vpcs(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let id = vpc_id(&context.scope);
    let cidr = format!("{}/16", network(context));
    if let Some(unknown) = params.texts("VpcId").into_iter().find(|wanted| *wanted != id) {
        let message = format!("The vpc ID '{unknown}' does not exist");
        return Err(ApiError::client("InvalidVpcID.NotFound", message));
    }
    let values = |name: &str| {
        Some(vec![match name {
            "vpc-id" => id.clone(),
            "state" => "available".to_owned(),
            "is-default" | "isDefault" => "true".to_owned(),
            "cidr" | "cidr-block" => cidr.clone(),
            "owner-id" => context.scope.account.clone(),
            _ => return None,
        }])
    };
    let found = Filters::read(params)?.match_all(&Tags::new(), values)?;
    let element = Element::new("item")
        .field("vpcId", &id)
        .field("ownerId", &context.scope.account)
        .field("state", "available")
        .field("cidrBlock", &cidr)
        .field("dhcpOptionsId", ids::fixed("dopt", &context.scope, "dopt"))
        .field("instanceTenancy", "default")
        .field("isDefault", true)
        .child(Element::new("tagSet"));
    page(params, "vpcSet", if found { vec![(id.clone(), element)] } else { Vec::new() })
}

pub(super) fn describe_subnets(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let scope = &context.scope;
    let wanted = params.texts("SubnetId");
    if let Some(unknown) = wanted.iter().find(|id| zone_of_subnet(scope, id).is_none()) {
        return Err(no_subnet(unknown));
    }
    let filters = Filters::read(params)?;
    let [a, b, ..] = network(context).octets();
    let mut items = Vec::new();
    for (zone, third) in zones(&scope.region).iter().zip([0_u8, 64, 128]) {
        let id = subnet_id(scope, zone);
        let cidr = format!("{a}.{b}.{third}.0/18");
        let values = |name: &str| {
            Some(vec![match name {
                "subnet-id" => id.clone(),
                "vpc-id" => vpc_id(scope),
                "availability-zone" | "availabilityZone" => zone.clone(),
                "default-for-az" | "defaultForAz" => "true".to_owned(),
                "state" => "available".to_owned(),
                "cidr-block" | "cidr" | "cidrBlock" => cidr.clone(),
                "map-public-ip-on-launch" => "true".to_owned(),
                "owner-id" => scope.account.clone(),
                _ => return None,
            }])
        };
        let asked_for = wanted.is_empty() || wanted.contains(&id.as_str());
        if filters.match_all(&Tags::new(), values)? && asked_for {
            let element = Element::new("item")
                .field("subnetId", &id)
                .field("state", "available")
                .field("ownerId", &scope.account)
                .field("vpcId", vpc_id(scope))
                .field("cidrBlock", &cidr)
                .field("availableIpAddressCount", 250)
                .field("availabilityZone", zone)
                .field("defaultForAz", true)
                .field("mapPublicIpOnLaunch", true)
                .field("assignIpv6AddressOnCreation", false)
                .child(Element::new("tagSet"));
            items.push((zone.clone(), element));
        }
    }
    page(params, "subnetSet", items)
}

/// No subnet of that id.
pub(super) fn no_subnet(id: &str) -> ApiError {
    let message = format!("The subnet ID '{id}' does not exist");
    ApiError::client("InvalidSubnetID.NotFound", message)
}

struct InstanceType {
    name: &'static str,
    cpus: u32,
    memory_mib: u32,
}

/// Any type may be named when instances are made; these are the ones that are listed.
const TYPES: [InstanceType; 5] = [
    InstanceType { name: "m1.small", cpus: 1, memory_mib: 1741 },
    InstanceType { name: "t2.micro", cpus: 1, memory_mib: 1024 },
    InstanceType { name: "t3.micro", cpus: 2, memory_mib: 1024 },
    InstanceType { name: "t3.small", cpus: 2, memory_mib: 2048 },
    InstanceType { name: "t3.medium", cpus: 2, memory_mib: 4096 },
];

pub(super) fn describe_types(params: Params<'_>) -> Result<Element, ApiError> {
    let wanted = params.texts("InstanceType");
    if let Some(unknown) =
        wanted.iter().find(|name| TYPES.iter().all(|listed| listed.name != **name))
    {
        let message = format!("The following supplied instance types do not exist: [{unknown}]");
        return Err(ApiError::client("InvalidInstanceType", message));
    }
    let filters = Filters::read(params)?;
    let mut items = Vec::new();
    for listed in &TYPES {
        let values = |name: &str| {
            Some(vec![match name {
                "instance-type" => listed.name.to_owned(),
                "vcpu-info.default-vcpus" => listed.cpus.to_string(),
                "memory-info.size-in-mib" => listed.memory_mib.to_string(),
                "processor-info.supported-architecture" => architecture().to_owned(),
                "current-generation" => "true".to_owned(),
                _ => return None,
            }])
        };
        let asked_for = wanted.is_empty() || wanted.contains(&listed.name);
        if filters.match_all(&Tags::new(), values)? && asked_for {
            let architectures = Element::list(
                "supportedArchitectures",
                "item",
                [Element::of("item", architecture())],
            );
            let element = Element::new("item")
                .field("instanceType", listed.name)
                .field("currentGeneration", true)
                .field("bareMetal", false)
                .field("hypervisor", "xen")
                .child(Element::new("processorInfo").child(architectures))
                .child(Element::new("vCpuInfo").field("defaultVCpus", listed.cpus))
                .child(Element::new("memoryInfo").field("sizeInMiB", listed.memory_mib));
            items.push((listed.name.to_owned(), element));
        }
    }
    page(params, "instanceTypeSet", items)
}
