#!/usr/bin/env bash
# The walk-through: a release goes from a folder to running hosts, by the stock `aws` CLI.
#
#   walkthrough.sh          runs all twelve steps
#   walkthrough.sh --keep   the same, but leaves the three hosts running at the end
#
# It needs a running `longshore dev`, and `longshore` and `aws` on the PATH. LONGSHORE_DATA_DIR names the server's data
# directory where it is not the usual one. Every check must hold: the first that does not ends the script with status 1.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
demo_app=$here/../demo-app
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
keep=false
[[ ${1-} == --keep ]] && keep=true
checks=0

# A heading.
say() {
  printf '\n[%3d s] %s\n' "$SECONDS" "$*"
}

# Shows a command, runs it, and shows its answer, which stays in $answer.
run() {
  local word line=''
  for word in "$@"; do
    [[ $word =~ ^[A-Za-z0-9_./:=,@%+-]+$ ]] || word=${word@Q}
    line+=" $word"
  done
  printf '\n$%s\n' "$line"
  local status=0
  answer=$("$@") || status=$?
  [[ -z $answer ]] || printf '%s\n' "$answer"
  [[ $status == 0 ]] || fail "the command ended with status $status"
}

# Holds a statement about what happened: the words, then the command that must succeed.
check() {
  local statement=$1
  shift
  "$@" || fail "does not hold: $statement"
  checks=$((checks + 1))
  printf '  [ok] %s\n' "$statement"
}

fail() {
  printf '\nwalk-through failed at line %s: %s\n' "${BASH_LINENO[1]}" "$1" >&2
  exit 1
}

equal() { [[ $1 == "$2" ]] || { printf '  found `%s`, expected `%s`\n' "$1" "$2" >&2; return 1; }; }
contains() { [[ $1 == *"$2"* ]] || { printf '  `%s` is not in: %s\n' "$2" "$1" >&2; return 1; }; }
refuses() { ! "$@"; }

# Whether a connection to port 8080 of the address comes about within a second.
reachable() { timeout 1 bash -c 'exec 3<>"/dev/tcp/$1/8080"' - "$1" 2>/dev/null; }

# What the application of the address answers at a path.
get() { curl --silent --show-error --fail --max-time 5 "http://$1:8080$2"; }

# Runs a command inside an instance; `show_inside` shows it too.
inside() { longshore instances shell "$1" -- "${@:2}"; }
show_inside() { run longshore instances shell "$1" -- "${@:2}"; }

address_of() {
  aws ec2 describe-instances --instance-ids "$1" --output text \
    --query 'Reservations[0].Instances[0].PrivateIpAddress'
}

# Pushes a folder with the stock CLI. What it prints is a command, which stays in $deploy.
push() {
  run aws deploy push --application-name DemoApp --s3-location "s3://$bucket/$1" --source "$2"
  deploy=$(tail -n 1 <<<"$answer")
}

# Runs the command that `aws deploy push` printed as it stands, with its three placeholders filled in; the id of the
# deployment stays in $deployment.
deploy_to() {
  local command=$deploy
  command=${command/<deployment-group-name>/$1}
  command=${command/<deployment-config-name>/CodeDeployDefault.OneAtATime}
  command=${command/<description>/\'$2\'}
  printf '\n$ %s\n' "$command"
  answer=$(eval "$command") || fail "the printed command failed"
  printf '%s\n' "$answer"
  deployment=$(grep -oE 'd-[A-Z0-9]{9}' <<<"$answer" | head -n 1)
}

status_of() {
  aws deploy get-deployment --deployment-id "$1" --query deploymentInfo.status --output text
}

# The statuses of a deployment's targets, sorted, in one line.
target_statuses() {
  local ids
  ids=$(aws deploy list-deployment-targets --deployment-id "$1" --query targetIds --output text)
  # shellcheck disable=SC2086 -- one word per target
  aws deploy batch-get-deployment-targets --deployment-id "$1" --target-ids $ids --output text \
    --query 'sort(deploymentTargets[].instanceTarget.status)' | tr '\t' ' '
}

say "Step 0 of 12: the credentials of the server"
run longshore credentials --env >/dev/null
eval "$answer"
export AWS_PAGER='' AWS_DEFAULT_OUTPUT=json
run aws sts get-caller-identity
bucket=demoapp-$RANDOM$RANDOM

say "Step 1 of 12: roles for the service and for the instances"
cat >"$scratch/trust-codedeploy.json" <<'JSON'
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
  "Principal": {"Service": "codedeploy.amazonaws.com"}}]}
JSON
cat >"$scratch/trust-ec2.json" <<'JSON'
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
  "Principal": {"Service": "ec2.amazonaws.com"}}]}
JSON
run aws iam create-role --role-name CodeDeploy \
  --assume-role-policy-document "file://$scratch/trust-codedeploy.json"
run aws iam attach-role-policy --role-name CodeDeploy \
  --policy-arn arn:aws:iam::aws:policy/service-role/AWSCodeDeployRole
run aws iam create-role --role-name CodeDeployInstanceRole \
  --assume-role-policy-document "file://$scratch/trust-ec2.json"
run aws iam attach-role-policy --role-name CodeDeployInstanceRole \
  --policy-arn arn:aws:iam::aws:policy/service-role/AmazonEC2RoleforAWSCodeDeploy
run aws iam create-instance-profile --instance-profile-name CodeDeployInstanceRole
run aws iam add-role-to-instance-profile --instance-profile-name CodeDeployInstanceRole \
  --role-name CodeDeployInstanceRole

say "Step 2 of 12: the application"
run aws deploy create-application --application-name DemoApp

say "Step 3 of 12: two deployment groups"
for group in Staging Production; do
  run aws deploy create-deployment-group \
    --application-name DemoApp \
    --deployment-group-name "$group" \
    --deployment-config-name CodeDeployDefault.OneAtATime \
    --ec2-tag-filters "Key=CDG,Value=DemoApp_$group,Type=KEY_AND_VALUE" \
    --service-role-arn arn:aws:iam::EXAMPLE:role/CodeDeploy
done
run aws deploy list-deployment-groups --application-name DemoApp --query deploymentGroups --output text
check "the application has both groups" equal "$(tr '\t' '\n' <<<"$answer" | sort | xargs)" "Production Staging"

say "Step 4 of 12: a key pair, and ports 22 and 8080 in the default security group"
run aws ec2 create-key-pair --key-name cli --query KeyFingerprint --output text
# A throw-away instance that listens on port 8080 shows what the security group does.
run aws ec2 run-instances --query 'Instances[0].InstanceId' --output text
probe=$answer
run aws ec2 wait instance-running --instance-ids "$probe"
probe_address=$(address_of "$probe")
inside "$probe" sh -c 'setsid perl -MIO::Socket::INET -e "
  \$l = IO::Socket::INET->new(LocalPort => 8080, Listen => 8) or die; close \$l->accept while 1" \
  </dev/null >/dev/null 2>&1 &'
until inside "$probe" bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080' 2>/dev/null; do sleep 0.1; done
check "before: port 8080 of $probe_address cannot be reached" refuses reachable "$probe_address"
for port in 22 8080; do
  run aws ec2 authorize-security-group-ingress --group-name default \
    --protocol tcp --port "$port" --cidr 0.0.0.0/0
done
check "after: port 8080 of $probe_address can be reached" reachable "$probe_address"
run aws ec2 terminate-instances --instance-ids "$probe" \
  --query 'TerminatingInstances[0].CurrentState.Name' --output text

say "Step 5 of 12: three instances"
run aws ec2 run-instances \
  --image-id ami-b66ed3de \
  --key-name cli \
  --instance-type t2.micro \
  --iam-instance-profile Name=CodeDeployInstanceRole \
  --count 3 \
  --query 'Instances[].InstanceId' --output text
read -r staging production_1 production_2 <<<"$answer"
hosts=("$staging" "$production_1" "$production_2")
run aws ec2 wait instance-running --instance-ids "${hosts[@]}"
run aws ec2 describe-instances --instance-ids "${hosts[@]}" --output table \
  --query 'Reservations[].Instances[].[InstanceId,State.Name,PrivateIpAddress,ImageId]'
staging_address=$(address_of "$staging")
production_addresses=("$(address_of "$production_1")" "$(address_of "$production_2")")

say "Step 6 of 12: one instance is tagged for Staging, two for Production"
run aws ec2 create-tags --resources "$staging" --tags Key=CDG,Value=DemoApp_Staging
run aws ec2 create-tags --resources "$production_1" "$production_2" --tags Key=CDG,Value=DemoApp_Production

say "Step 7 of 12: the agent, installed inside each bare instance"
for host in "${hosts[@]}"; do
  check "$host is bare" refuses inside "$host" test -e /opt/codedeploy-agent
  show_inside "$host" sh -c \
    'cd /root && aws s3 cp s3://aws-codedeploy-us-east-1/latest/install . --region us-east-1 --no-progress'
  show_inside "$host" sh -c 'cd /root && chmod +x ./install'
  show_inside "$host" sh -c 'cd /root && ./install auto'
done

say "Step 8 of 12: the first version is pushed"
run aws s3api create-bucket --bucket "$bucket"
push v001 "$demo_app"
etag=$(aws s3api head-object --bucket "$bucket" --key v001 --query ETag --output text | tr -d '"')
check "the printed command names the object's real eTag" contains "$deploy" "eTag=$etag"
version_1=$deploy

say "Step 9 of 12: to Staging"
deploy_to Staging 'Push of the application to staging.'
run aws deploy wait deployment-successful --deployment-id "$deployment"
run aws deploy get-deployment --deployment-id "$deployment"
check "the deployment succeeded" equal "$(status_of "$deployment")" Succeeded
run aws deploy list-deployment-targets --deployment-id "$deployment"
run aws deploy batch-get-deployment-targets --deployment-id "$deployment" --target-ids "$staging" \
  --query 'deploymentTargets[0].instanceTarget.lifecycleEvents[].[lifecycleEventName,status,startTime,endTime]' \
  --output table
for event in BeforeInstall AfterInstall ApplicationStart ValidateService; do
  check "$event has its times" grep -qE "$event *\| +Succeeded +\| +[0-9][^|]*\| +[0-9]" <<<"$answer"
done
check "http://$staging_address:8080/version answers 1.0" equal "$(get "$staging_address" /version)" 1.0
check "http://$staging_address:8080/ shows version and deployment" \
  contains "$(get "$staging_address" /)" "<dd>$deployment</dd>"

say "Step 10 of 12: the same artifact to Production, one instance at a time"
deploy=$version_1
deploy_to Production 'Push of the application to production.'
run aws deploy wait deployment-successful --deployment-id "$deployment"
run aws deploy get-deployment --deployment-id "$deployment" --query deploymentInfo.deploymentOverview
for address in "${production_addresses[@]}"; do
  check "http://$address:8080/version answers 1.0" equal "$(get "$address" /version)" 1.0
done

say "Step 11 of 12: a bad version 2, then a good version 3"
# In version 2 the application listens on a port on which nobody looks for it.
cp -r "$demo_app" "$scratch/v2"
echo 2.0 >"$scratch/v2/VERSION"
sed -i 's/^my \$PORT = 8080;/my $PORT = 8081;/' "$scratch/v2/bin/demo-app"
push v002 "$scratch/v2"
deploy_to Production 'Version 2.'
check "the deployment does not succeed" refuses \
  aws deploy wait deployment-successful --deployment-id "$deployment"
run aws deploy get-deployment --deployment-id "$deployment" \
  --query 'deploymentInfo.[status,errorInformation,deploymentOverview]'
check "it failed" equal "$(status_of "$deployment")" Failed
check "because of HEALTH_CONSTRAINTS" contains "$answer" HEALTH_CONSTRAINTS
check "one host failed, and the second was never touched" equal "$(target_statuses "$deployment")" "Failed Skipped"
run aws deploy batch-get-deployment-targets --deployment-id "$deployment" \
  --target-ids "$production_1" "$production_2" --query \
  'deploymentTargets[].instanceTarget.lifecycleEvents[?status==`Failed`].[lifecycleEventName,diagnostics] | []'
check "ValidateService failed, with the script's own words" \
  contains "$answer" "expected version 2.0, but: connection failed"
still_1=0
for address in "${production_addresses[@]}"; do
  [[ $(get "$address" /version 2>/dev/null || true) == 1.0 ]] && still_1=$((still_1 + 1))
done
check "one Production host still answers 1.0" equal "$still_1" 1

cp -r "$demo_app" "$scratch/v3"
echo 3.0 >"$scratch/v3/VERSION"
push v003 "$scratch/v3"
version_3=$deploy
deploy_to Production 'Version 3.'
run aws deploy wait deployment-successful --deployment-id "$deployment"
for address in "${production_addresses[@]}"; do
  check "http://$address:8080/version answers 3.0" equal "$(get "$address" /version)" 3.0
done

say "Step 12 of 12: a running deployment is stopped"
# Version 4 takes its time to install, so that there is something to stop.
cp -r "$demo_app" "$scratch/v4"
echo 4.0 >"$scratch/v4/VERSION"
printf '\nsleep 5\n' >>"$scratch/v4/scripts/configure.sh"
push v004 "$scratch/v4"
deploy_to Staging 'Version 4.'
until [[ $(status_of "$deployment") == InProgress ]]; do sleep 0.5; done
run aws deploy stop-deployment --deployment-id "$deployment"
until [[ $(status_of "$deployment") != InProgress ]]; do sleep 0.5; done
run aws deploy get-deployment --deployment-id "$deployment" \
  --query 'deploymentInfo.[status,errorInformation.code]' --output text
check "the deployment is Stopped" equal "$(status_of "$deployment")" Stopped
deploy=$version_3
deploy_to Staging 'Version 3.'
run aws deploy wait deployment-successful --deployment-id "$deployment"
check "http://$staging_address:8080/version answers 3.0" equal "$(get "$staging_address" /version)" 3.0

if $keep; then
  say "Done: $checks checks held. The hosts stay up:"
  printf '  Staging     http://%s:8080/\n' "$staging_address"
  printf '  Production  http://%s:8080/\n' "${production_addresses[@]}"
  exit 0
fi
run aws ec2 terminate-instances --instance-ids "${hosts[@]}" \
  --query 'TerminatingInstances[].[InstanceId,CurrentState.Name]' --output text
run aws ec2 wait instance-terminated --instance-ids "${hosts[@]}"
check "nobody answers any more at $staging_address" refuses reachable "$staging_address"
say "Done: $checks checks held."
