# `terraform test`, without an account: AWS is a mock that answers every request.

mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/mock" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::mock" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = { arn = "arn:aws:eks:eu-central-1:123456789012:cluster/tts-ops" }
  }
  mock_resource "aws_prometheus_workspace" {
    defaults = { arn = "arn:aws:aps:eu-central-1:123456789012:workspace/ws-mock" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
}

variables {
  subnet_ids = ["subnet-0a", "subnet-0b"]
}

run "by_default_it_is_closed" {
  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "The API is open to the internet."
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.models.block_public_acls,
      aws_s3_bucket_public_access_block.models.block_public_policy,
      aws_s3_bucket_public_access_block.models.ignore_public_acls,
      aws_s3_bucket_public_access_block.models.restrict_public_buckets,
    ])
    error_message = "The bucket could be made public."
  }
  assert {
    condition = alltrue([
      for template in aws_launch_template.node :
      template.metadata_options[0].http_tokens == "required" && template.metadata_options[0].http_put_response_hop_limit == 1
    ])
    error_message = "A pod could ask for its node's credentials."
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.models.policy, "Put") && !strcontains(aws_iam_role_policy.models.policy, "s3:*")
    error_message = "Servers read models and write none."
  }
}

run "gpus_are_for_speech" {
  assert {
    condition     = [for taint in aws_eks_node_group.gpu.taint : taint.effect if taint.key == "nvidia.com/gpu"] == ["NO_SCHEDULE"]
    error_message = "Anything may be scheduled on a GPU node."
  }
  assert {
    condition     = aws_eks_node_group.gpu.ami_type == "AL2023_x86_64_NVIDIA" && aws_eks_node_group.gpu.capacity_type == "ON_DEMAND"
    error_message = "Nodes without a driver, or ones that may be taken away."
  }
  assert {
    condition     = length(aws_eks_node_group.cpu.taint) == 0
    error_message = "Everything else has no place."
  }
  assert {
    condition     = aws_eks_pod_identity_association.models.service_account == "voice-agent"
    error_message = "The chart's account cannot read the models."
  }
}

run "the_rules_are_those_of_one_machine" {
  assert {
    condition     = keys(aws_prometheus_rule_group_namespace.this) == ["alerts.yml", "recording.yml"]
    error_message = "Rules are missing."
  }
  assert {
    condition     = length(aws_prometheus_alert_manager_definition.this) == 0
    error_message = "There is nobody to tell."
  }
  assert {
    condition     = [for job in yamldecode(aws_prometheus_scraper.this[0].scrape_configuration).scrape_configs : job.job_name] == ["tts", "tts-agent"]
    error_message = "The rules ask for these jobs."
  }
}

run "a_topic_is_told" {
  variables {
    alert_topic_arn = "arn:aws:sns:eu-west-1:123456789012:pages"
  }
  assert {
    condition = (
      yamldecode(yamldecode(aws_prometheus_alert_manager_definition.this[0].definition).alertmanager_config)
      .receivers[0].sns_configs[0].sigv4.region == "eu-west-1"
    )
    error_message = "It signs for another region."
  }
}

run "monitoring_may_be_elsewhere" {
  variables {
    has_monitoring = false
  }
  assert {
    condition     = length(aws_prometheus_workspace.this) + length(aws_prometheus_rule_group_namespace.this) + length(aws_prometheus_scraper.this) == 0
    error_message = "Something of it is left."
  }
  assert {
    condition     = output.prometheus_endpoint == null
    error_message = "There is none."
  }
}

run "the_api_may_be_opened_to_some" {
  variables {
    public_access_cidrs = ["203.0.113.7/32"]
    bucket_name         = "my-models"
    admin_role_arns     = ["arn:aws:iam::123456789012:role/operators"]
    gpu_nodes           = { min = 0, max = 8, is_spot = true }
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access && output.bucket == "my-models"
    error_message = "It was asked for."
  }
  assert {
    condition     = aws_eks_node_group.gpu.capacity_type == "SPOT" && aws_eks_node_group.gpu.scaling_config[0].min_size == 0
    error_message = "It was asked for."
  }
  assert {
    condition     = length(aws_eks_access_policy_association.admin) == 1
    error_message = "Operators have no access."
  }
}

run "not_to_everybody" {
  command = plan
  variables {
    public_access_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.public_access_cidrs]
}

run "what_makes_no_sense_is_refused" {
  command = plan
  variables {
    name               = "Tts_Ops"
    subnet_ids         = ["subnet-0a"]
    kubernetes_version = "1.33.2"
    cpu_nodes          = { min = 5, max = 4 }
    gpu_nodes          = { min = 0, max = 0 }
  }
  expect_failures = [var.name, var.subnet_ids, var.kubernetes_version, var.cpu_nodes, var.gpu_nodes]
}
