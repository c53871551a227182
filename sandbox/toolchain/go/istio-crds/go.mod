module kafka-bridge-failover/toolchain/istio-crds

go 1.26

require istio.io/api v1.31.4
