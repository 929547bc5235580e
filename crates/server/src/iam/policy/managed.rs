//! The AWS managed policies that CodeDeploy's guides attach: known from the start, the same for everyone.
//!
//! Source: AWS managed policy reference, and CodeDeploy user guide, "AWS managed policies for CodeDeploy".

/// A policy that AWS keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// The last part of the ARN.
    pub name: &'static str,
    /// Begins and ends with a slash.
    pub path: &'static str,
    /// The unique id, `ANPA…`.
    pub id: &'static str,
    statements: &'static [ManagedStatement],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ManagedStatement {
    actions: &'static [&'static str],
    resource: &'static str,
    condition: Option<(&'static str, &'static str, &'static str)>,
}

const fn on_all(actions: &'static [&'static str]) -> ManagedStatement {
    ManagedStatement { actions, resource: "*", condition: None }
}

impl ManagedPolicy {
    /// The policy's ARN; its account is `aws`.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::aws:policy{}{}", self.path, self.name)
    }

    /// The policy's document.
    pub fn document(&self) -> String {
        let statements: Vec<_> = self.statements.iter().map(ManagedStatement::json).collect();
        serde_json::json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
    }
}

impl ManagedStatement {
    fn json(&self) -> serde_json::Value {
        let mut statement = serde_json::json!({
            "Effect": "Allow",
            "Action": self.actions,
            "Resource": self.resource,
        });
        if let Some((operator, key, value)) = self.condition {
            statement["Condition"] = serde_json::json!({ operator: { key: value } });
        }
        statement
    }
}

/// The managed policy with that ARN.
pub fn find(arn: &str) -> Option<&'static ManagedPolicy> {
    let tail = arn.strip_prefix("arn:aws:iam::aws:policy")?;
    ALL.iter().find(|policy| tail.strip_prefix(policy.path).is_some_and(|name| name == policy.name))
}

/// All of them.
pub const ALL: &[ManagedPolicy] = &[
    ManagedPolicy {
        name: "AWSCodeDeployRole",
        path: "/service-role/",
        id: "ANPAJ2NKMKD73QS5NBFLA",
        statements: &[on_all(SERVICE_ROLE)],
    },
    ManagedPolicy {
        name: "AWSCodeDeployFullAccess",
        path: "/",
        id: "ANPAIONKN3TJZUKXCHXWC",
        statements: &[on_all(&[
            "codedeploy:*",
            "codestar-notifications:CreateNotificationRule",
            "codestar-notifications:DescribeNotificationRule",
            "codestar-notifications:UpdateNotificationRule",
            "codestar-notifications:DeleteNotificationRule",
            "codestar-notifications:Subscribe",
            "codestar-notifications:Unsubscribe",
            "codestar-notifications:ListNotificationRules",
            "codestar-notifications:ListTargets",
            "codestar-notifications:ListEventTypes",
            "codestar-notifications:ListTagsforResource",
            "sns:ListTopics",
        ])],
    },
    ManagedPolicy {
        name: "AWSCodeDeployDeployerAccess",
        path: "/",
        id: "ANPAJUWEPOMGLMVXJAPUI",
        statements: &[on_all(&[
            "codedeploy:Batch*",
            "codedeploy:CreateDeployment",
            "codedeploy:Get*",
            "codedeploy:List*",
            "codedeploy:RegisterApplicationRevision",
        ])],
    },
    ManagedPolicy {
        name: "AWSCodeDeployReadOnlyAccess",
        path: "/",
        id: "ANPAILZHHKCKB4NE7XOIQ",
        statements: &[on_all(&["codedeploy:Batch*", "codedeploy:Get*", "codedeploy:List*"])],
    },
    ManagedPolicy {
        name: "AmazonEC2RoleforAWSCodeDeploy",
        path: "/service-role/",
        id: "ANPAIAZKXZ27TAJ4PVWGK",
        statements: &[on_all(&["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"])],
    },
    ManagedPolicy {
        name: "AmazonEC2RoleforAWSCodeDeployLimited",
        path: "/service-role/",
        id: "ANPAZKAPJZG4ONQWCHVZN",
        statements: &[
            ManagedStatement {
                actions: &["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"],
                resource: "arn:aws:s3:::*/CodeDeploy/*",
                condition: None,
            },
            ManagedStatement {
                actions: &["s3:GetObject", "s3:GetObjectVersion"],
                resource: "*",
                condition: Some(("StringEquals", "s3:ExistingObjectTag/UseWithCodeDeploy", "true")),
            },
        ],
    },
    ManagedPolicy {
        name: "AdministratorAccess",
        path: "/",
        id: "ANPAIWMBCKSKIEE64ZLYK",
        statements: &[on_all(&["*"])],
    },
    ManagedPolicy {
        name: "AmazonS3ReadOnlyAccess",
        path: "/",
        id: "ANPAIZTJ4DXE7G6AGAE6M",
        statements: &[on_all(&["s3:Get*", "s3:List*", "s3:Describe*"])],
    },
    ManagedPolicy {
        name: "AmazonS3FullAccess",
        path: "/",
        id: "ANPAIFIR6V6BVTRAHWINE",
        statements: &[on_all(&["s3:*"])],
    },
    ManagedPolicy {
        name: "AmazonEC2FullAccess",
        path: "/",
        id: "ANPAI3VAJF5ZCRZ7MCQE6",
        statements: &[on_all(&[
            "ec2:*",
            "elasticloadbalancing:*",
            "cloudwatch:*",
            "autoscaling:*",
        ])],
    },
    ManagedPolicy {
        name: "AmazonSSMManagedInstanceCore",
        path: "/",
        id: "ANPAIXSHM2BNB2D3AXXRU",
        statements: &[on_all(&["ssm:UpdateInstanceInformation", "ssmmessages:*", "ec2messages:*"])],
    },
    ManagedPolicy {
        name: "AWSCodeDeployRoleForLambda",
        path: "/service-role/",
        id: "ANPAJA10XEXAMPLELAMBDA",
        statements: &[on_all(&["cloudwatch:DescribeAlarms", "lambda:*", "sns:Publish"])],
    },
    ManagedPolicy {
        name: "AWSCodeDeployRoleForECS",
        path: "/",
        id: "ANPAIIL3KXEXAMPLEECSX",
        statements: &[on_all(&["ecs:*", "cloudwatch:DescribeAlarms", "sns:Publish"])],
    },
];

const SERVICE_ROLE: &[&str] = &[
    "autoscaling:CompleteLifecycleAction",
    "autoscaling:DeleteLifecycleHook",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeLifecycleHooks",
    "autoscaling:PutLifecycleHook",
    "autoscaling:RecordLifecycleActionHeartbeat",
    "autoscaling:CreateAutoScalingGroup",
    "autoscaling:CreateOrUpdateTags",
    "autoscaling:UpdateAutoScalingGroup",
    "autoscaling:EnableMetricsCollection",
    "autoscaling:DescribePolicies",
    "autoscaling:DescribeScheduledActions",
    "autoscaling:DescribeNotificationConfigurations",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:SuspendProcesses",
    "autoscaling:ResumeProcesses",
    "autoscaling:AttachLoadBalancers",
    "autoscaling:AttachLoadBalancerTargetGroups",
    "autoscaling:PutScalingPolicy",
    "autoscaling:PutScheduledUpdateGroupAction",
    "autoscaling:PutNotificationConfiguration",
    "autoscaling:PutWarmPool",
    "autoscaling:DeleteAutoScalingGroup",
    "ec2:DescribeInstances",
    "ec2:DescribeInstanceStatus",
    "ec2:TerminateInstances",
    "tag:GetResources",
    "sns:Publish",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricAlarm",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeInstanceHealth",
    "elasticloadbalancing:RegisterInstancesWithLoadBalancer",
    "elasticloadbalancing:DeregisterInstancesFromLoadBalancer",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetHealth",
    "elasticloadbalancing:RegisterTargets",
    "elasticloadbalancing:DeregisterTargets",
];

#[cfg(test)]
mod tests {
    use super::super::{Facts, Policy, PolicyKind, Request, Verdict};
    use super::*;

    #[test]
    fn every_managed_policy_is_a_policy_and_is_found_by_its_arn() {
        for policy in ALL {
            assert!(Policy::parse(&policy.document(), PolicyKind::Identity).is_ok(), "{policy:?}");
            assert_eq!(find(&policy.arn()), Some(policy));
            assert!(policy.id.len() >= 20, "{policy:?}");
        }
        assert_eq!(find("arn:aws:iam::aws:policy/AWSCodeDeployRole"), None);
    }

    #[test]
    fn an_instance_may_read_bundles_and_nothing_else() {
        let arn = "arn:aws:iam::aws:policy/service-role/AmazonEC2RoleforAWSCodeDeploy";
        let document = find(arn).unwrap().document();
        let policy = Policy::parse(&document, PolicyKind::Identity).unwrap();
        let facts = Facts::default();
        for (action, expected) in [
            ("s3:GetObject", Verdict::Allow),
            ("s3:PutObject", Verdict::Silent),
            ("codedeploy:CreateDeployment", Verdict::Silent),
        ] {
            let request = Request { action, resource: "arn:aws:s3:::b/k", facts: &facts };
            assert_eq!(policy.verdict(&request), expected, "{action}");
        }
    }
}
