variable "cluster_name" {
  description = "Output `cluster_name` of `aws`."
  type        = string
}

variable "namespace" {
  description = "Output `namespace` of `aws`."
  type        = string
  default     = "tts-ops"
}

variable "values_files" {
  description = "Files of values for the chart, beside its own; a later one wins. Name the images and models there."
  type        = list(string)
  default     = []
}

variable "device_plugin_version" {
  description = "Version of NVIDIA's device plugin, which tells Kubernetes of the GPUs."
  type        = string
  default     = "0.17.1"
}
