# Two pools: one for everything, one with GPUs that only what tolerates their taint may use.

resource "aws_iam_role" "node" {
  name_prefix        = "${var.name}-node-"
  assume_role_policy = local.trust["ec2"]
  tags               = local.tags
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each   = toset(["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"])
  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

resource "aws_launch_template" "node" {
  for_each               = { cpu = var.cpu_nodes.disk_gib, gpu = var.gpu_nodes.disk_gib }
  name_prefix            = "${var.name}-${each.key}-"
  update_default_version = true
  tags                   = local.tags

  # One hop: a pod cannot ask for the credentials of its node.
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size = each.value
      volume_type = "gp3"
      encrypted   = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(local.tags, { Name = "${var.name}-${each.key}" })
  }
}

resource "aws_eks_node_group" "cpu" {
  cluster_name           = aws_eks_cluster.this.name
  node_group_name_prefix = "${var.name}-cpu-"
  node_role_arn          = aws_iam_role.node.arn
  subnet_ids             = var.subnet_ids
  ami_type               = "AL2023_x86_64_STANDARD"
  instance_types         = var.cpu_nodes.instance_types
  tags                   = local.tags

  launch_template {
    id      = aws_launch_template.node["cpu"].id
    version = aws_launch_template.node["cpu"].latest_version
  }

  scaling_config {
    min_size     = var.cpu_nodes.min
    desired_size = var.cpu_nodes.min
    max_size     = var.cpu_nodes.max
  }

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [scaling_config[0].desired_size] # an autoscaler's business
  }

  depends_on = [aws_iam_role_policy_attachment.node]
}

resource "aws_eks_node_group" "gpu" {
  cluster_name           = aws_eks_cluster.this.name
  node_group_name_prefix = "${var.name}-gpu-"
  node_role_arn          = aws_iam_role.node.arn
  subnet_ids             = var.subnet_ids
  ami_type               = "AL2023_x86_64_NVIDIA" # with driver and container toolkit
  instance_types         = var.gpu_nodes.instance_types
  capacity_type          = var.gpu_nodes.is_spot ? "SPOT" : "ON_DEMAND"
  labels                 = { "tts-ops/gpu" = "true" }
  tags                   = local.tags

  taint {
    key    = "nvidia.com/gpu"
    value  = "present"
    effect = "NO_SCHEDULE"
  }

  launch_template {
    id      = aws_launch_template.node["gpu"].id
    version = aws_launch_template.node["gpu"].latest_version
  }

  scaling_config {
    min_size     = var.gpu_nodes.min
    desired_size = var.gpu_nodes.min
    max_size     = var.gpu_nodes.max
  }

  # One at a time: its streams are drained before the next goes.
  update_config {
    max_unavailable = 1
  }

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [scaling_config[0].desired_size]
  }

  depends_on = [aws_iam_role_policy_attachment.node]
}
