//! The types of Argo's `Template`, of 3.7, 4.0 and 4.1 in one: made by the test
//! `tests/table.rs`, which says how.

use super::form::Form::{
    Base64, Bool, Entries, Free, Integer, IntegerOrText, Items, List, Never, NonZero, Nullable, Number, Object,
    Quantity, Text, Time, True, Wrapper,
};
use super::form::Width::{Int32, Int64, UInt64};
use super::form::{Structure, always, filled, kind};

pub(super) static CORE_AWSELASTICBLOCKSTOREVOLUMESOURCE: Structure = Structure { fields: &[
    always("volumeID", Text), filled("fsType", Text), filled("partition", NonZero(Int32)),
    filled("readOnly", True),
] };

pub(super) static CORE_AFFINITY: Structure = Structure { fields: &[
    filled("nodeAffinity", Object(&CORE_NODEAFFINITY)), filled("podAffinity", Object(&CORE_PODAFFINITY)),
    filled("podAntiAffinity", Object(&CORE_PODANTIAFFINITY)),
] };

pub(super) static CORE_APPARMORPROFILE: Structure = Structure { fields: &[
    always("type", Text), filled("localhostProfile", Text),
] };

pub(super) static CORE_AZUREDISKVOLUMESOURCE: Structure = Structure { fields: &[
    always("diskName", Text), always("diskURI", Text), filled("cachingMode", Text), filled("fsType", Text),
    filled("readOnly", Bool), filled("kind", Text),
] };

pub(super) static CORE_AZUREFILEVOLUMESOURCE: Structure = Structure { fields: &[
    always("secretName", Text), always("shareName", Text), filled("readOnly", True),
] };

pub(super) static CORE_CSIVOLUMESOURCE: Structure = Structure { fields: &[
    always("driver", Text), filled("readOnly", Bool), filled("fsType", Text),
    filled("volumeAttributes", Entries(&Text)),
    filled("nodePublishSecretRef", Object(&CORE_LOCALOBJECTREFERENCE)),
] };

pub(super) static CORE_CAPABILITIES: Structure = Structure { fields: &[
    filled("add", Items(&Text)), filled("drop", Items(&Text)),
] };

pub(super) static CORE_CEPHFSVOLUMESOURCE: Structure = Structure { fields: &[
    always("monitors", Nullable(&List(&Text))), filled("path", Text), filled("user", Text),
    filled("secretFile", Text), filled("secretRef", Object(&CORE_LOCALOBJECTREFERENCE)),
    filled("readOnly", True),
] };

pub(super) static CORE_CINDERVOLUMESOURCE: Structure = Structure { fields: &[
    always("volumeID", Text), filled("fsType", Text), filled("readOnly", True),
    filled("secretRef", Object(&CORE_LOCALOBJECTREFERENCE)),
] };

pub(super) static CORE_CLUSTERTRUSTBUNDLEPROJECTION: Structure = Structure { fields: &[
    filled("name", Text), filled("signerName", Text), filled("labelSelector", Object(&META_LABELSELECTOR)),
    filled("optional", Bool), always("path", Text),
] };

pub(super) static CORE_CONFIGMAPENVSOURCE: Structure = Structure { fields: &[
    filled("name", Text), filled("optional", Bool),
] };

pub(super) static CORE_CONFIGMAPKEYSELECTOR: Structure = Structure { fields: &[
    filled("name", Text), always("key", Text), filled("optional", Bool),
] };

pub(super) static CORE_CONFIGMAPKEYSELECTOR_OR_CORE_LOCALOBJECTREFERENCE: Structure = Structure { fields: &[
    filled("name", Text), filled("key", Text), filled("optional", Bool),
] };

pub(super) static CORE_CONFIGMAPPROJECTION: Structure = Structure { fields: &[
    filled("name", Text), filled("items", Items(&Object(&CORE_KEYTOPATH))), filled("optional", Bool),
] };

pub(super) static CORE_CONFIGMAPVOLUMESOURCE: Structure = Structure { fields: &[
    filled("name", Text), filled("items", Items(&Object(&CORE_KEYTOPATH))),
    filled("defaultMode", Integer(Int32)), filled("optional", Bool),
] };

pub(super) static CORE_CONTAINER: Structure = Structure { fields: &[
    always("name", Text), filled("image", Text), filled("command", Items(&Text)),
    filled("args", Items(&Text)), filled("workingDir", Text),
    filled("ports", Items(&Object(&CORE_CONTAINERPORT))),
    filled("envFrom", Items(&Object(&CORE_ENVFROMSOURCE))), filled("env", Items(&Object(&CORE_ENVVAR))),
    always("resources", Object(&CORE_RESOURCEREQUIREMENTS)),
    filled("resizePolicy", Items(&Object(&CORE_CONTAINERRESIZEPOLICY))), filled("restartPolicy", Text),
    filled("restartPolicyRules", Items(&Object(&CORE_CONTAINERRESTARTRULE))),
    filled("volumeMounts", Items(&Object(&CORE_VOLUMEMOUNT))),
    filled("volumeDevices", Items(&Object(&CORE_VOLUMEDEVICE))),
    filled("livenessProbe", Object(&CORE_PROBE)), filled("readinessProbe", Object(&CORE_PROBE)),
    filled("startupProbe", Object(&CORE_PROBE)), filled("lifecycle", Object(&CORE_LIFECYCLE)),
    filled("terminationMessagePath", Text), filled("terminationMessagePolicy", Text),
    filled("imagePullPolicy", Text), filled("securityContext", Object(&CORE_SECURITYCONTEXT)),
    filled("stdin", True), filled("stdinOnce", True), filled("tty", True),
] };

pub(super) static CORE_CONTAINERPORT: Structure = Structure { fields: &[
    filled("name", Text), filled("hostPort", NonZero(Int32)), always("containerPort", Integer(Int32)),
    filled("protocol", Text), filled("hostIP", Text),
] };

pub(super) static CORE_CONTAINERRESIZEPOLICY: Structure = Structure { fields: &[
    always("resourceName", Text), always("restartPolicy", Text),
] };

pub(super) static CORE_CONTAINERRESTARTRULE: Structure = Structure { fields: &[
    filled("action", Text), filled("exitCodes", Object(&CORE_CONTAINERRESTARTRULEONEXITCODES)),
] };

pub(super) static CORE_CONTAINERRESTARTRULEONEXITCODES: Structure = Structure { fields: &[
    filled("operator", Text), filled("values", Items(&Integer(Int32))),
] };

pub(super) static CORE_DOWNWARDAPIPROJECTION: Structure = Structure { fields: &[
    filled("items", Items(&Object(&CORE_DOWNWARDAPIVOLUMEFILE))),
] };

pub(super) static CORE_DOWNWARDAPIVOLUMEFILE: Structure = Structure { fields: &[
    always("path", Text), filled("fieldRef", Object(&CORE_OBJECTFIELDSELECTOR)),
    filled("resourceFieldRef", Object(&CORE_RESOURCEFIELDSELECTOR)), filled("mode", Integer(Int32)),
] };

pub(super) static CORE_DOWNWARDAPIVOLUMESOURCE: Structure = Structure { fields: &[
    filled("items", Items(&Object(&CORE_DOWNWARDAPIVOLUMEFILE))), filled("defaultMode", Integer(Int32)),
] };

pub(super) static CORE_EMPTYDIRVOLUMESOURCE: Structure = Structure { fields: &[
    filled("medium", Text), filled("sizeLimit", Quantity),
] };

pub(super) static CORE_ENVFROMSOURCE: Structure = Structure { fields: &[
    filled("prefix", Text), filled("configMapRef", Object(&CORE_CONFIGMAPENVSOURCE)),
    filled("secretRef", Object(&CORE_SECRETENVSOURCE)),
] };

pub(super) static CORE_ENVVAR: Structure = Structure { fields: &[
    always("name", Text), filled("value", Text), filled("valueFrom", Object(&CORE_ENVVARSOURCE)),
] };

pub(super) static CORE_ENVVARSOURCE: Structure = Structure { fields: &[
    filled("fieldRef", Object(&CORE_OBJECTFIELDSELECTOR)),
    filled("resourceFieldRef", Object(&CORE_RESOURCEFIELDSELECTOR)),
    filled("configMapKeyRef", Object(&CORE_CONFIGMAPKEYSELECTOR)),
    filled("secretKeyRef", Object(&CORE_SECRETKEYSELECTOR)),
    filled("fileKeyRef", Object(&CORE_FILEKEYSELECTOR)),
] };

pub(super) static CORE_EPHEMERALVOLUMESOURCE: Structure = Structure { fields: &[
    filled("volumeClaimTemplate", Object(&CORE_PERSISTENTVOLUMECLAIMTEMPLATE)),
] };

pub(super) static CORE_EXECACTION: Structure = Structure { fields: &[
    filled("command", Items(&Text)),
] };

pub(super) static CORE_FCVOLUMESOURCE: Structure = Structure { fields: &[
    filled("targetWWNs", Items(&Text)), filled("lun", Integer(Int32)), filled("fsType", Text),
    filled("readOnly", True), filled("wwids", Items(&Text)),
] };

pub(super) static CORE_FILEKEYSELECTOR: Structure = Structure { fields: &[
    always("volumeName", Text), always("path", Text), always("key", Text), filled("optional", Bool),
] };

pub(super) static CORE_FLEXVOLUMESOURCE: Structure = Structure { fields: &[
    always("driver", Text), filled("fsType", Text), filled("secretRef", Object(&CORE_LOCALOBJECTREFERENCE)),
    filled("readOnly", True), filled("options", Entries(&Text)),
] };

pub(super) static CORE_FLOCKERVOLUMESOURCE: Structure = Structure { fields: &[
    filled("datasetName", Text), filled("datasetUUID", Text),
] };

pub(super) static CORE_GCEPERSISTENTDISKVOLUMESOURCE: Structure = Structure { fields: &[
    always("pdName", Text), filled("fsType", Text), filled("partition", NonZero(Int32)),
    filled("readOnly", True),
] };

pub(super) static CORE_GRPCACTION: Structure = Structure { fields: &[
    always("port", Integer(Int32)), always("service", Nullable(&Text)),
] };

pub(super) static CORE_GITREPOVOLUMESOURCE: Structure = Structure { fields: &[
    always("repository", Text), filled("revision", Text), filled("directory", Text),
] };

pub(super) static CORE_GLUSTERFSVOLUMESOURCE: Structure = Structure { fields: &[
    always("endpoints", Text), always("path", Text), filled("readOnly", True),
] };

pub(super) static CORE_HTTPGETACTION: Structure = Structure { fields: &[
    filled("path", Text), always("port", IntegerOrText), filled("host", Text), filled("scheme", Text),
    filled("httpHeaders", Items(&Object(&CORE_HTTPHEADER))),
] };

pub(super) static CORE_HTTPHEADER: Structure = Structure { fields: &[
    always("name", Text), always("value", Text),
] };

pub(super) static CORE_HOSTALIAS: Structure = Structure { fields: &[
    always("ip", Text), filled("hostnames", Items(&Text)),
] };

pub(super) static CORE_HOSTPATHVOLUMESOURCE: Structure = Structure { fields: &[
    always("path", Text), filled("type", Text),
] };

pub(super) static CORE_ISCSIVOLUMESOURCE: Structure = Structure { fields: &[
    always("targetPortal", Text), always("iqn", Text), always("lun", Integer(Int32)),
    filled("iscsiInterface", Text), filled("fsType", Text), filled("readOnly", True),
    filled("portals", Items(&Text)), filled("chapAuthDiscovery", True), filled("chapAuthSession", True),
    filled("secretRef", Object(&CORE_LOCALOBJECTREFERENCE)), filled("initiatorName", Text),
] };

pub(super) static CORE_IMAGEVOLUMESOURCE: Structure = Structure { fields: &[
    filled("reference", Text), filled("pullPolicy", Text),
] };

pub(super) static CORE_KEYTOPATH: Structure = Structure { fields: &[
    always("key", Text), always("path", Text), filled("mode", Integer(Int32)),
] };

pub(super) static CORE_LIFECYCLE: Structure = Structure { fields: &[
    filled("postStart", Object(&CORE_LIFECYCLEHANDLER)), filled("preStop", Object(&CORE_LIFECYCLEHANDLER)),
    filled("stopSignal", Text),
] };

pub(super) static CORE_LIFECYCLEHANDLER: Structure = Structure { fields: &[
    filled("exec", Object(&CORE_EXECACTION)), filled("httpGet", Object(&CORE_HTTPGETACTION)),
    filled("tcpSocket", Object(&CORE_TCPSOCKETACTION)), filled("sleep", Object(&CORE_SLEEPACTION)),
] };

pub(super) static CORE_LOCALOBJECTREFERENCE: Structure = Structure { fields: &[
    filled("name", Text),
] };

pub(super) static CORE_NFSVOLUMESOURCE: Structure = Structure { fields: &[
    always("server", Text), always("path", Text), filled("readOnly", True),
] };

pub(super) static CORE_NODEAFFINITY: Structure = Structure { fields: &[
    filled("requiredDuringSchedulingIgnoredDuringExecution", Object(&CORE_NODESELECTOR)),
    filled("preferredDuringSchedulingIgnoredDuringExecution", Items(&Object(&CORE_PREFERREDSCHEDULINGTERM))),
] };

pub(super) static CORE_NODESELECTOR: Structure = Structure { fields: &[
    always("nodeSelectorTerms", Nullable(&List(&Object(&CORE_NODESELECTORTERM)))),
] };

pub(super) static CORE_NODESELECTORREQUIREMENT: Structure = Structure { fields: &[
    always("key", Text), always("operator", Text), filled("values", Items(&Text)),
] };

pub(super) static CORE_NODESELECTORTERM: Structure = Structure { fields: &[
    filled("matchExpressions", Items(&Object(&CORE_NODESELECTORREQUIREMENT))),
    filled("matchFields", Items(&Object(&CORE_NODESELECTORREQUIREMENT))),
] };

pub(super) static CORE_OBJECTFIELDSELECTOR: Structure = Structure { fields: &[
    filled("apiVersion", Text), always("fieldPath", Text),
] };

pub(super) static CORE_PERSISTENTVOLUMECLAIMSPEC: Structure = Structure { fields: &[
    filled("accessModes", Items(&Text)), filled("selector", Object(&META_LABELSELECTOR)),
    always("resources", Object(&CORE_VOLUMERESOURCEREQUIREMENTS)), filled("volumeName", Text),
    filled("storageClassName", Text), filled("volumeMode", Text),
    filled("dataSource", Object(&CORE_TYPEDLOCALOBJECTREFERENCE)),
    filled("dataSourceRef", Object(&CORE_TYPEDOBJECTREFERENCE)), filled("volumeAttributesClassName", Text),
] };

pub(super) static CORE_PERSISTENTVOLUMECLAIMTEMPLATE: Structure = Structure { fields: &[
    always("metadata", Object(&META_OBJECTMETA)), always("spec", Object(&CORE_PERSISTENTVOLUMECLAIMSPEC)),
] };

pub(super) static CORE_PERSISTENTVOLUMECLAIMVOLUMESOURCE: Structure = Structure { fields: &[
    always("claimName", Text), filled("readOnly", True),
] };

pub(super) static CORE_PHOTONPERSISTENTDISKVOLUMESOURCE: Structure = Structure { fields: &[
    always("pdID", Text), filled("fsType", Text),
] };

pub(super) static CORE_PODAFFINITY: Structure = Structure { fields: &[
    filled("requiredDuringSchedulingIgnoredDuringExecution", Items(&Object(&CORE_PODAFFINITYTERM))),
    filled("preferredDuringSchedulingIgnoredDuringExecution", Items(&Object(&CORE_WEIGHTEDPODAFFINITYTERM))),
] };

pub(super) static CORE_PODAFFINITYTERM: Structure = Structure { fields: &[
    filled("labelSelector", Object(&META_LABELSELECTOR)), filled("namespaces", Items(&Text)),
    always("topologyKey", Text), filled("namespaceSelector", Object(&META_LABELSELECTOR)),
    filled("matchLabelKeys", Items(&Text)), filled("mismatchLabelKeys", Items(&Text)),
] };

pub(super) static CORE_PODANTIAFFINITY: Structure = Structure { fields: &[
    filled("requiredDuringSchedulingIgnoredDuringExecution", Items(&Object(&CORE_PODAFFINITYTERM))),
    filled("preferredDuringSchedulingIgnoredDuringExecution", Items(&Object(&CORE_WEIGHTEDPODAFFINITYTERM))),
] };

pub(super) static CORE_PODCERTIFICATEPROJECTION: Structure = Structure { fields: &[
    filled("signerName", Text), filled("keyType", Text), filled("maxExpirationSeconds", Integer(Int32)),
    filled("credentialBundlePath", Text), filled("keyPath", Text), filled("certificateChainPath", Text),
    filled("userAnnotations", Entries(&Text)),
] };

pub(super) static CORE_PODRESOURCECLAIM: Structure = Structure { fields: &[
    always("name", Text), filled("resourceClaimName", Text), filled("resourceClaimTemplateName", Text),
] };

pub(super) static CORE_PODSECURITYCONTEXT: Structure = Structure { fields: &[
    filled("seLinuxOptions", Object(&CORE_SELINUXOPTIONS)),
    filled("windowsOptions", Object(&CORE_WINDOWSSECURITYCONTEXTOPTIONS)),
    filled("runAsUser", Integer(Int64)), filled("runAsGroup", Integer(Int64)), filled("runAsNonRoot", Bool),
    filled("supplementalGroups", Items(&Integer(Int64))), filled("supplementalGroupsPolicy", Text),
    filled("fsGroup", Integer(Int64)), filled("sysctls", Items(&Object(&CORE_SYSCTL))),
    filled("fsGroupChangePolicy", Text), filled("seccompProfile", Object(&CORE_SECCOMPPROFILE)),
    filled("appArmorProfile", Object(&CORE_APPARMORPROFILE)), filled("seLinuxChangePolicy", Text),
] };

pub(super) static CORE_PORTWORXVOLUMESOURCE: Structure = Structure { fields: &[
    always("volumeID", Text), filled("fsType", Text), filled("readOnly", True),
] };

pub(super) static CORE_PREFERREDSCHEDULINGTERM: Structure = Structure { fields: &[
    always("weight", Integer(Int32)), always("preference", Object(&CORE_NODESELECTORTERM)),
] };

pub(super) static CORE_PROBE: Structure = Structure { fields: &[
    filled("exec", Object(&CORE_EXECACTION)), filled("httpGet", Object(&CORE_HTTPGETACTION)),
    filled("tcpSocket", Object(&CORE_TCPSOCKETACTION)), filled("grpc", Object(&CORE_GRPCACTION)),
    filled("initialDelaySeconds", NonZero(Int32)), filled("timeoutSeconds", NonZero(Int32)),
    filled("periodSeconds", NonZero(Int32)), filled("successThreshold", NonZero(Int32)),
    filled("failureThreshold", NonZero(Int32)), filled("terminationGracePeriodSeconds", Integer(Int64)),
] };

pub(super) static CORE_PROJECTEDVOLUMESOURCE: Structure = Structure { fields: &[
    always("sources", Nullable(&List(&Object(&CORE_VOLUMEPROJECTION)))),
    filled("defaultMode", Integer(Int32)),
] };

pub(super) static CORE_QUOBYTEVOLUMESOURCE: Structure = Structure { fields: &[
    always("registry", Text), always("volume", Text), filled("readOnly", True), filled("user", Text),
    filled("group", Text), filled("tenant", Text),
] };

pub(super) static CORE_RBDVOLUMESOURCE: Structure = Structure { fields: &[
    always("monitors", Nullable(&List(&Text))), always("image", Text), filled("fsType", Text),
    filled("pool", Text), filled("user", Text), filled("keyring", Text),
    filled("secretRef", Object(&CORE_LOCALOBJECTREFERENCE)), filled("readOnly", True),
] };

pub(super) static CORE_RESOURCECLAIM: Structure = Structure { fields: &[
    always("name", Text), filled("request", Text),
] };

pub(super) static CORE_RESOURCEFIELDSELECTOR: Structure = Structure { fields: &[
    filled("containerName", Text), always("resource", Text), always("divisor", Quantity),
] };

pub(super) static CORE_RESOURCEREQUIREMENTS: Structure = Structure { fields: &[
    filled("limits", Entries(&Quantity)), filled("requests", Entries(&Quantity)),
    filled("claims", Items(&Object(&CORE_RESOURCECLAIM))),
] };

pub(super) static CORE_SELINUXOPTIONS: Structure = Structure { fields: &[
    filled("user", Text), filled("role", Text), filled("type", Text), filled("level", Text),
] };

pub(super) static CORE_SCALEIOVOLUMESOURCE: Structure = Structure { fields: &[
    always("gateway", Text), always("system", Text),
    always("secretRef", Nullable(&Object(&CORE_LOCALOBJECTREFERENCE))), filled("sslEnabled", True),
    filled("protectionDomain", Text), filled("storagePool", Text), filled("storageMode", Text),
    filled("volumeName", Text), filled("fsType", Text), filled("readOnly", True),
] };

pub(super) static CORE_SECCOMPPROFILE: Structure = Structure { fields: &[
    always("type", Text), filled("localhostProfile", Text),
] };

pub(super) static CORE_SECRETENVSOURCE: Structure = Structure { fields: &[
    filled("name", Text), filled("optional", Bool),
] };

pub(super) static CORE_SECRETKEYSELECTOR: Structure = Structure { fields: &[
    filled("name", Text), always("key", Text), filled("optional", Bool),
] };

pub(super) static CORE_SECRETPROJECTION: Structure = Structure { fields: &[
    filled("name", Text), filled("items", Items(&Object(&CORE_KEYTOPATH))), filled("optional", Bool),
] };

pub(super) static CORE_SECRETVOLUMESOURCE: Structure = Structure { fields: &[
    filled("secretName", Text), filled("items", Items(&Object(&CORE_KEYTOPATH))),
    filled("defaultMode", Integer(Int32)), filled("optional", Bool),
] };

pub(super) static CORE_SECURITYCONTEXT: Structure = Structure { fields: &[
    filled("capabilities", Object(&CORE_CAPABILITIES)), filled("privileged", Bool),
    filled("seLinuxOptions", Object(&CORE_SELINUXOPTIONS)),
    filled("windowsOptions", Object(&CORE_WINDOWSSECURITYCONTEXTOPTIONS)),
    filled("runAsUser", Integer(Int64)), filled("runAsGroup", Integer(Int64)), filled("runAsNonRoot", Bool),
    filled("readOnlyRootFilesystem", Bool), filled("allowPrivilegeEscalation", Bool),
    filled("procMount", Text), filled("seccompProfile", Object(&CORE_SECCOMPPROFILE)),
    filled("appArmorProfile", Object(&CORE_APPARMORPROFILE)),
] };

pub(super) static CORE_SERVICEACCOUNTTOKENPROJECTION: Structure = Structure { fields: &[
    filled("audience", Text), filled("expirationSeconds", Integer(Int64)), always("path", Text),
] };

pub(super) static CORE_SLEEPACTION: Structure = Structure { fields: &[
    always("seconds", Integer(Int64)),
] };

pub(super) static CORE_STORAGEOSVOLUMESOURCE: Structure = Structure { fields: &[
    filled("volumeName", Text), filled("volumeNamespace", Text), filled("fsType", Text),
    filled("readOnly", True), filled("secretRef", Object(&CORE_LOCALOBJECTREFERENCE)),
] };

pub(super) static CORE_SYSCTL: Structure = Structure { fields: &[
    always("name", Text), always("value", Text),
] };

pub(super) static CORE_TCPSOCKETACTION: Structure = Structure { fields: &[
    always("port", IntegerOrText), filled("host", Text),
] };

pub(super) static CORE_TOLERATION: Structure = Structure { fields: &[
    filled("key", Text), filled("operator", Text), filled("value", Text), filled("effect", Text),
    filled("tolerationSeconds", Integer(Int64)),
] };

pub(super) static CORE_TYPEDLOCALOBJECTREFERENCE: Structure = Structure { fields: &[
    always("apiGroup", Nullable(&Text)), always("kind", Text), always("name", Text),
] };

pub(super) static CORE_TYPEDOBJECTREFERENCE: Structure = Structure { fields: &[
    always("apiGroup", Nullable(&Text)), always("kind", Text), always("name", Text),
    filled("namespace", Text),
] };

pub(super) static CORE_VOLUME: Structure = Structure { fields: &[
    always("name", Text), filled("hostPath", Object(&CORE_HOSTPATHVOLUMESOURCE)),
    filled("emptyDir", Object(&CORE_EMPTYDIRVOLUMESOURCE)),
    filled("gcePersistentDisk", Object(&CORE_GCEPERSISTENTDISKVOLUMESOURCE)),
    filled("awsElasticBlockStore", Object(&CORE_AWSELASTICBLOCKSTOREVOLUMESOURCE)),
    filled("gitRepo", Object(&CORE_GITREPOVOLUMESOURCE)),
    filled("secret", Object(&CORE_SECRETVOLUMESOURCE)), filled("nfs", Object(&CORE_NFSVOLUMESOURCE)),
    filled("iscsi", Object(&CORE_ISCSIVOLUMESOURCE)),
    filled("glusterfs", Object(&CORE_GLUSTERFSVOLUMESOURCE)),
    filled("persistentVolumeClaim", Object(&CORE_PERSISTENTVOLUMECLAIMVOLUMESOURCE)),
    filled("rbd", Object(&CORE_RBDVOLUMESOURCE)), filled("flexVolume", Object(&CORE_FLEXVOLUMESOURCE)),
    filled("cinder", Object(&CORE_CINDERVOLUMESOURCE)), filled("cephfs", Object(&CORE_CEPHFSVOLUMESOURCE)),
    filled("flocker", Object(&CORE_FLOCKERVOLUMESOURCE)),
    filled("downwardAPI", Object(&CORE_DOWNWARDAPIVOLUMESOURCE)),
    filled("fc", Object(&CORE_FCVOLUMESOURCE)), filled("azureFile", Object(&CORE_AZUREFILEVOLUMESOURCE)),
    filled("configMap", Object(&CORE_CONFIGMAPVOLUMESOURCE)),
    filled("vsphereVolume", Object(&CORE_VSPHEREVIRTUALDISKVOLUMESOURCE)),
    filled("quobyte", Object(&CORE_QUOBYTEVOLUMESOURCE)),
    filled("azureDisk", Object(&CORE_AZUREDISKVOLUMESOURCE)),
    filled("photonPersistentDisk", Object(&CORE_PHOTONPERSISTENTDISKVOLUMESOURCE)),
    filled("projected", Object(&CORE_PROJECTEDVOLUMESOURCE)),
    filled("portworxVolume", Object(&CORE_PORTWORXVOLUMESOURCE)),
    filled("scaleIO", Object(&CORE_SCALEIOVOLUMESOURCE)),
    filled("storageos", Object(&CORE_STORAGEOSVOLUMESOURCE)), filled("csi", Object(&CORE_CSIVOLUMESOURCE)),
    filled("ephemeral", Object(&CORE_EPHEMERALVOLUMESOURCE)),
    filled("image", Object(&CORE_IMAGEVOLUMESOURCE)),
] };

pub(super) static CORE_VOLUMEDEVICE: Structure = Structure { fields: &[
    always("name", Text), always("devicePath", Text),
] };

pub(super) static CORE_VOLUMEMOUNT: Structure = Structure { fields: &[
    always("name", Text), filled("readOnly", True), filled("recursiveReadOnly", Text),
    always("mountPath", Text), filled("subPath", Text), filled("mountPropagation", Text),
    filled("subPathExpr", Text),
] };

pub(super) static CORE_VOLUMEPROJECTION: Structure = Structure { fields: &[
    filled("secret", Object(&CORE_SECRETPROJECTION)),
    filled("downwardAPI", Object(&CORE_DOWNWARDAPIPROJECTION)),
    filled("configMap", Object(&CORE_CONFIGMAPPROJECTION)),
    filled("serviceAccountToken", Object(&CORE_SERVICEACCOUNTTOKENPROJECTION)),
    filled("clusterTrustBundle", Object(&CORE_CLUSTERTRUSTBUNDLEPROJECTION)),
    filled("podCertificate", Object(&CORE_PODCERTIFICATEPROJECTION)),
] };

pub(super) static CORE_VOLUMERESOURCEREQUIREMENTS: Structure = Structure { fields: &[
    filled("limits", Entries(&Quantity)), filled("requests", Entries(&Quantity)),
] };

pub(super) static CORE_VSPHEREVIRTUALDISKVOLUMESOURCE: Structure = Structure { fields: &[
    always("volumePath", Text), filled("fsType", Text), filled("storagePolicyName", Text),
    filled("storagePolicyID", Text),
] };

pub(super) static CORE_WEIGHTEDPODAFFINITYTERM: Structure = Structure { fields: &[
    always("weight", Integer(Int32)), always("podAffinityTerm", Object(&CORE_PODAFFINITYTERM)),
] };

pub(super) static CORE_WINDOWSSECURITYCONTEXTOPTIONS: Structure = Structure { fields: &[
    filled("gmsaCredentialSpecName", Text), filled("gmsaCredentialSpec", Text),
    filled("runAsUserName", Text), filled("hostProcess", Bool),
] };

pub(super) static META_LABELSELECTOR: Structure = Structure { fields: &[
    filled("matchLabels", Entries(&Text)),
    filled("matchExpressions", Items(&Object(&META_LABELSELECTORREQUIREMENT))),
] };

pub(super) static META_LABELSELECTORREQUIREMENT: Structure = Structure { fields: &[
    always("key", Text), always("operator", Text), filled("values", Items(&Text)),
] };

pub(super) static META_MANAGEDFIELDSENTRY: Structure = Structure { fields: &[
    filled("manager", Text), filled("operation", Text), filled("apiVersion", Text), filled("time", Time),
    filled("fieldsType", Text), filled("fieldsV1", Never), filled("subresource", Text),
] };

pub(super) static META_OBJECTMETA: Structure = Structure { fields: &[
    filled("name", Text), filled("generateName", Text), filled("namespace", Text), filled("selfLink", Text),
    filled("uid", Text), filled("resourceVersion", Text), filled("generation", NonZero(Int64)),
    filled("creationTimestamp", Nullable(&Time)), filled("deletionTimestamp", Time),
    filled("deletionGracePeriodSeconds", Integer(Int64)), filled("labels", Entries(&Text)),
    filled("annotations", Entries(&Text)), filled("ownerReferences", Items(&Object(&META_OWNERREFERENCE))),
    filled("finalizers", Items(&Text)), filled("managedFields", Items(&Object(&META_MANAGEDFIELDSENTRY))),
] };

pub(super) static META_OWNERREFERENCE: Structure = Structure { fields: &[
    always("apiVersion", Text), always("kind", Text), always("name", Text), always("uid", Text),
    filled("controller", Bool), filled("blockOwnerDeletion", Bool),
] };

pub(super) static WF_ARCHIVESTRATEGY: Structure = Structure { fields: &[
    filled("tar", Object(&WF_TARSTRATEGY)), filled("none", Object(&WF_NONESTRATEGY)),
    filled("zip", Object(&WF_ZIPSTRATEGY)),
] };

pub(super) static WF_ARGUMENTS: Structure = Structure { fields: &[
    filled("parameters", Items(&Object(&WF_PARAMETER))), filled("artifacts", Items(&Object(&WF_ARTIFACT))),
] };

pub(super) static WF_ARTIFACT: Structure = Structure { fields: &[
    always("name", Text), filled("path", Text), filled("mode", Integer(Int32)), filled("from", Text),
    filled("archiveLogs", Bool), filled("s3", Object(&WF_S3ARTIFACT)),
    filled("git", Object(&WF_GITARTIFACT)), filled("http", Object(&WF_HTTPARTIFACT)),
    filled("artifactory", Object(&WF_ARTIFACTORYARTIFACT)), filled("hdfs", Object(&WF_HDFSARTIFACT)),
    filled("raw", Object(&WF_RAWARTIFACT)), filled("oss", Object(&WF_OSSARTIFACT)),
    filled("gcs", Object(&WF_GCSARTIFACT)), filled("azure", Object(&WF_AZUREARTIFACT)),
    filled("plugin", Object(&WF_PLUGINARTIFACT)), filled("globalName", Text),
    filled("archive", Object(&WF_ARCHIVESTRATEGY)), filled("optional", True), filled("subPath", Text),
    filled("recurseMode", True), filled("fromExpression", Text),
    filled("artifactGC", Object(&WF_ARTIFACTGC)), filled("deleted", True),
] };

pub(super) static WF_ARTIFACTGC: Structure = Structure { fields: &[
    filled("strategy", Text), filled("podMetadata", Object(&WF_METADATA)),
    filled("serviceAccountName", Text),
] };

pub(super) static WF_ARTIFACTLOCATION: Structure = Structure { fields: &[
    filled("archiveLogs", Bool), filled("s3", Object(&WF_S3ARTIFACT)),
    filled("git", Object(&WF_GITARTIFACT)), filled("http", Object(&WF_HTTPARTIFACT)),
    filled("artifactory", Object(&WF_ARTIFACTORYARTIFACT)), filled("hdfs", Object(&WF_HDFSARTIFACT)),
    filled("raw", Object(&WF_RAWARTIFACT)), filled("oss", Object(&WF_OSSARTIFACT)),
    filled("gcs", Object(&WF_GCSARTIFACT)), filled("azure", Object(&WF_AZUREARTIFACT)),
    filled("plugin", Object(&WF_PLUGINARTIFACT)),
] };

pub(super) static WF_ARTIFACTPATHS: Structure = Structure { fields: &[
    always("name", Text), filled("path", Text), filled("mode", Integer(Int32)), filled("from", Text),
    filled("archiveLogs", Bool), filled("s3", Object(&WF_S3ARTIFACT)),
    filled("git", Object(&WF_GITARTIFACT)), filled("http", Object(&WF_HTTPARTIFACT)),
    filled("artifactory", Object(&WF_ARTIFACTORYARTIFACT)), filled("hdfs", Object(&WF_HDFSARTIFACT)),
    filled("raw", Object(&WF_RAWARTIFACT)), filled("oss", Object(&WF_OSSARTIFACT)),
    filled("gcs", Object(&WF_GCSARTIFACT)), filled("azure", Object(&WF_AZUREARTIFACT)),
    filled("plugin", Object(&WF_PLUGINARTIFACT)), filled("globalName", Text),
    filled("archive", Object(&WF_ARCHIVESTRATEGY)), filled("optional", True), filled("subPath", Text),
    filled("recurseMode", True), filled("fromExpression", Text),
    filled("artifactGC", Object(&WF_ARTIFACTGC)), filled("deleted", True),
] };

pub(super) static WF_ARTIFACTORYARTIFACT: Structure = Structure { fields: &[
    always("url", Text), filled("usernameSecret", Object(&CORE_SECRETKEYSELECTOR)),
    filled("passwordSecret", Object(&CORE_SECRETKEYSELECTOR)),
] };

pub(super) static WF_AZUREARTIFACT: Structure = Structure { fields: &[
    always("endpoint", Text), always("container", Text),
    filled("accountKeySecret", Object(&CORE_SECRETKEYSELECTOR)), filled("useSDKCreds", True),
    always("blob", Text),
] };

pub(super) static WF_BACKOFF: Structure = Structure { fields: &[
    filled("duration", Text), filled("factor", IntegerOrText), filled("maxDuration", Text),
    filled("cap", Text),
] };

pub(super) static WF_BASICAUTH: Structure = Structure { fields: &[
    filled("usernameSecret", Object(&CORE_SECRETKEYSELECTOR)),
    filled("passwordSecret", Object(&CORE_SECRETKEYSELECTOR)),
] };

pub(super) static WF_CACHE: Structure = Structure { fields: &[
    always("configMap", Nullable(&Object(&CORE_CONFIGMAPKEYSELECTOR_OR_CORE_LOCALOBJECTREFERENCE))),
] };

pub(super) static WF_CLIENTCERTAUTH: Structure = Structure { fields: &[
    filled("clientCertSecret", Object(&CORE_SECRETKEYSELECTOR)),
    filled("clientKeySecret", Object(&CORE_SECRETKEYSELECTOR)),
] };

pub(super) static WF_CONTAINERNODE: Structure = Structure { fields: &[
    always("name", Text), filled("image", Text), filled("command", Items(&Text)),
    filled("args", Items(&Text)), filled("workingDir", Text),
    filled("ports", Items(&Object(&CORE_CONTAINERPORT))),
    filled("envFrom", Items(&Object(&CORE_ENVFROMSOURCE))), filled("env", Items(&Object(&CORE_ENVVAR))),
    always("resources", Object(&CORE_RESOURCEREQUIREMENTS)),
    filled("resizePolicy", Items(&Object(&CORE_CONTAINERRESIZEPOLICY))), filled("restartPolicy", Text),
    filled("restartPolicyRules", Items(&Object(&CORE_CONTAINERRESTARTRULE))),
    filled("volumeMounts", Items(&Object(&CORE_VOLUMEMOUNT))),
    filled("volumeDevices", Items(&Object(&CORE_VOLUMEDEVICE))),
    filled("livenessProbe", Object(&CORE_PROBE)), filled("readinessProbe", Object(&CORE_PROBE)),
    filled("startupProbe", Object(&CORE_PROBE)), filled("lifecycle", Object(&CORE_LIFECYCLE)),
    filled("terminationMessagePath", Text), filled("terminationMessagePolicy", Text),
    filled("imagePullPolicy", Text), filled("securityContext", Object(&CORE_SECURITYCONTEXT)),
    filled("stdin", True), filled("stdinOnce", True), filled("tty", True),
    filled("dependencies", Items(&Text)),
] };

pub(super) static WF_CONTAINERSETRETRYSTRATEGY: Structure = Structure { fields: &[
    filled("duration", Text), always("retries", Nullable(&IntegerOrText)),
] };

pub(super) static WF_CONTAINERSETTEMPLATE: Structure = Structure { fields: &[
    always("containers", Nullable(&List(&Object(&WF_CONTAINERNODE)))),
    filled("volumeMounts", Items(&Object(&CORE_VOLUMEMOUNT))),
    filled("retryStrategy", Object(&WF_CONTAINERSETRETRYSTRATEGY)),
] };

pub(super) static WF_CONTINUEON: Structure = Structure { fields: &[
    filled("error", True), filled("failed", True),
] };

pub(super) static WF_COUNTER: Structure = Structure { fields: &[
    always("value", Text),
] };

pub(super) static WF_CREATES3BUCKETOPTIONS: Structure = Structure { fields: &[
    filled("objectLocking", True),
] };

pub(super) static WF_DAGTASK: Structure = Structure { fields: &[
    always("name", Text), filled("template", Text), filled("inline", Object(&WF_TEMPLATE)),
    always("arguments", Object(&WF_ARGUMENTS)), filled("templateRef", Object(&WF_TEMPLATEREF)),
    filled("dependencies", Items(&Text)), filled("withItems", Items(&Free)), filled("withParam", Text),
    filled("withSequence", Object(&WF_SEQUENCE)), filled("when", Text),
    filled("continueOn", Object(&WF_CONTINUEON)), filled("onExit", Text), filled("depends", Text),
    filled("hooks", Entries(&Object(&WF_LIFECYCLEHOOK))),
] };

pub(super) static WF_DAGTEMPLATE: Structure = Structure { fields: &[
    filled("target", Text), always("tasks", Nullable(&List(&Object(&WF_DAGTASK)))),
    filled("failFast", Bool),
] };

pub(super) static WF_DATA: Structure = Structure { fields: &[
    always("source", Object(&WF_DATASOURCE)),
    always("transformation", Nullable(&List(&Object(&WF_TRANSFORMATIONSTEP)))),
] };

pub(super) static WF_DATASOURCE: Structure = Structure { fields: &[
    filled("artifactPaths", Object(&WF_ARTIFACTPATHS)),
] };

pub(super) static WF_EXECUTORCONFIG: Structure = Structure { fields: &[
    filled("serviceAccountName", Text),
] };

pub(super) static WF_GCSARTIFACT: Structure = Structure { fields: &[
    filled("bucket", Text), filled("serviceAccountKeySecret", Object(&CORE_SECRETKEYSELECTOR)),
    always("key", Text),
] };

pub(super) static WF_GAUGE: Structure = Structure { fields: &[
    always("value", Text), always("realtime", Nullable(&Bool)), filled("operation", Text),
] };

pub(super) static WF_GITARTIFACT: Structure = Structure { fields: &[
    always("repo", Text), filled("revision", Text), filled("depth", Integer(UInt64)),
    filled("fetch", Items(&Text)), filled("usernameSecret", Object(&CORE_SECRETKEYSELECTOR)),
    filled("passwordSecret", Object(&CORE_SECRETKEYSELECTOR)),
    filled("sshPrivateKeySecret", Object(&CORE_SECRETKEYSELECTOR)), filled("insecureIgnoreHostKey", True),
    filled("disableSubmodules", True), filled("singleBranch", True), filled("branch", Text),
    filled("insecureSkipTLS", True),
] };

pub(super) static WF_HDFSARTIFACT: Structure = Structure { fields: &[
    filled("krbCCacheSecret", Object(&CORE_SECRETKEYSELECTOR)),
    filled("krbKeytabSecret", Object(&CORE_SECRETKEYSELECTOR)), filled("krbUsername", Text),
    filled("krbRealm", Text), filled("krbConfigConfigMap", Object(&CORE_CONFIGMAPKEYSELECTOR)),
    filled("krbServicePrincipalName", Text), filled("addresses", Items(&Text)), filled("hdfsUser", Text),
    filled("dataTransferProtection", Text), always("path", Text), filled("force", True),
] };

pub(super) static WF_HTTP: Structure = Structure { fields: &[
    filled("method", Text), always("url", Text), filled("headers", Items(&Object(&WF_HTTPHEADER))),
    filled("timeoutSeconds", Integer(Int64)), filled("successCondition", Text), filled("body", Text),
    filled("bodyFrom", Object(&WF_HTTPBODYSOURCE)), filled("insecureSkipVerify", True),
] };

pub(super) static WF_HTTPARTIFACT: Structure = Structure { fields: &[
    always("url", Text), filled("headers", Items(&Object(&WF_HEADER))),
    filled("auth", Object(&WF_HTTPAUTH)), filled("saveStreamViaFile", True),
] };

pub(super) static WF_HTTPAUTH: Structure = Structure { fields: &[
    always("clientCert", Object(&WF_CLIENTCERTAUTH)), always("oauth2", Object(&WF_OAUTH2AUTH)),
    always("basicAuth", Object(&WF_BASICAUTH)),
] };

pub(super) static WF_HTTPBODYSOURCE: Structure = Structure { fields: &[
    filled("bytes", Base64),
] };

pub(super) static WF_HTTPHEADER: Structure = Structure { fields: &[
    always("name", Text), filled("value", Text), filled("valueFrom", Object(&WF_HTTPHEADERSOURCE)),
] };

pub(super) static WF_HTTPHEADERSOURCE: Structure = Structure { fields: &[
    filled("secretKeyRef", Object(&CORE_SECRETKEYSELECTOR)),
] };

pub(super) static WF_HEADER: Structure = Structure { fields: &[
    always("name", Text), always("value", Text),
] };

pub(super) static WF_HISTOGRAM: Structure = Structure { fields: &[
    always("value", Text), always("buckets", Nullable(&List(&Number))),
] };

pub(super) static WF_INPUTS: Structure = Structure { fields: &[
    filled("parameters", Items(&Object(&WF_PARAMETER))), filled("artifacts", Items(&Object(&WF_ARTIFACT))),
] };

pub(super) static WF_LIFECYCLEHOOK: Structure = Structure { fields: &[
    filled("template", Text), always("arguments", Object(&WF_ARGUMENTS)),
    filled("templateRef", Object(&WF_TEMPLATEREF)), filled("expression", Text),
] };

pub(super) static WF_MANIFESTFROM: Structure = Structure { fields: &[
    always("artifact", Nullable(&Object(&WF_ARTIFACT))),
] };

pub(super) static WF_MEMOIZE: Structure = Structure { fields: &[
    always("key", Text), always("cache", Nullable(&Object(&WF_CACHE))), always("maxAge", Text),
] };

pub(super) static WF_METADATA: Structure = Structure { fields: &[
    filled("annotations", Entries(&Text)), filled("labels", Entries(&Text)),
] };

pub(super) static WF_METRICLABEL: Structure = Structure { fields: &[
    always("key", Text), always("value", Text),
] };

pub(super) static WF_METRICS: Structure = Structure { fields: &[
    always("prometheus", Nullable(&List(&Nullable(&Object(&WF_PROMETHEUS))))),
] };

pub(super) static WF_MUTEX: Structure = Structure { fields: &[
    filled("name", Text), filled("namespace", Text), filled("database", True),
] };

pub(super) static WF_NONESTRATEGY: Structure = Structure { fields: &[
] };

pub(super) static WF_OAUTH2AUTH: Structure = Structure { fields: &[
    filled("clientIDSecret", Object(&CORE_SECRETKEYSELECTOR)),
    filled("clientSecretSecret", Object(&CORE_SECRETKEYSELECTOR)),
    filled("tokenURLSecret", Object(&CORE_SECRETKEYSELECTOR)), filled("scopes", Items(&Text)),
    filled("endpointParams", Items(&Object(&WF_OAUTH2ENDPOINTPARAM))),
] };

pub(super) static WF_OAUTH2ENDPOINTPARAM: Structure = Structure { fields: &[
    always("key", Text), filled("value", Text),
] };

pub(super) static WF_OSSARTIFACT: Structure = Structure { fields: &[
    filled("endpoint", Text), filled("bucket", Text),
    filled("accessKeySecret", Object(&CORE_SECRETKEYSELECTOR)),
    filled("secretKeySecret", Object(&CORE_SECRETKEYSELECTOR)), filled("createBucketIfNotPresent", True),
    filled("securityToken", Text), filled("lifecycleRule", Object(&WF_OSSLIFECYCLERULE)),
    filled("useSDKCreds", True), always("key", Text),
] };

pub(super) static WF_OSSLIFECYCLERULE: Structure = Structure { fields: &[
    filled("markInfrequentAccessAfterDays", NonZero(Int32)),
    filled("markDeletionAfterDays", NonZero(Int32)),
] };

pub(super) static WF_OUTPUTS: Structure = Structure { fields: &[
    filled("parameters", Items(&Object(&WF_PARAMETER))), filled("artifacts", Items(&Object(&WF_ARTIFACT))),
    filled("result", Text), filled("exitCode", Text),
] };

pub(super) static WF_PARAMETER: Structure = Structure { fields: &[
    always("name", Text), filled("default", Text), filled("value", Text),
    filled("valueFrom", Object(&WF_VALUEFROM)), filled("globalName", Text), filled("enum", Items(&Text)),
    filled("description", Text),
] };

pub(super) static WF_PLUGINARTIFACT: Structure = Structure { fields: &[
    filled("name", Text), filled("configuration", Text), filled("connectionTimeoutSeconds", NonZero(Int32)),
    always("key", Text),
] };

pub(super) static WF_PROMETHEUS: Structure = Structure { fields: &[
    always("name", Text), filled("labels", Items(&Nullable(&Object(&WF_METRICLABEL)))),
    always("help", Text), filled("when", Text), filled("gauge", Object(&WF_GAUGE)),
    filled("histogram", Object(&WF_HISTOGRAM)), filled("counter", Object(&WF_COUNTER)),
] };

pub(super) static WF_RAWARTIFACT: Structure = Structure { fields: &[
    always("data", Text),
] };

pub(super) static WF_RESOURCETEMPLATE: Structure = Structure { fields: &[
    always("action", Text), filled("mergeStrategy", Text), filled("manifest", Text),
    filled("manifestFrom", Object(&WF_MANIFESTFROM)), filled("setOwnerReference", True),
    filled("successCondition", Text), filled("failureCondition", Text), filled("flags", Items(&Text)),
] };

pub(super) static WF_RETRYAFFINITY: Structure = Structure { fields: &[
    filled("nodeAntiAffinity", Object(&WF_RETRYNODEANTIAFFINITY)),
] };

pub(super) static WF_RETRYNODEANTIAFFINITY: Structure = Structure { fields: &[
] };

pub(super) static WF_RETRYSTRATEGY: Structure = Structure { fields: &[
    filled("limit", IntegerOrText), filled("retryPolicy", Text), filled("backoff", Object(&WF_BACKOFF)),
    filled("affinity", Object(&WF_RETRYAFFINITY)), filled("expression", Text),
] };

pub(super) static WF_S3ARTIFACT: Structure = Structure { fields: &[
    filled("endpoint", Text), filled("bucket", Text), filled("region", Text), filled("insecure", Bool),
    filled("accessKeySecret", Object(&CORE_SECRETKEYSELECTOR)),
    filled("secretKeySecret", Object(&CORE_SECRETKEYSELECTOR)),
    filled("sessionTokenSecret", Object(&CORE_SECRETKEYSELECTOR)), filled("roleARN", Text),
    filled("useSDKCreds", True), filled("createBucketIfNotPresent", Object(&WF_CREATES3BUCKETOPTIONS)),
    filled("encryptionOptions", Object(&WF_S3ENCRYPTIONOPTIONS)),
    filled("caSecret", Object(&CORE_SECRETKEYSELECTOR)), filled("addressingStyle", Text),
    filled("key", Text),
] };

pub(super) static WF_S3ENCRYPTIONOPTIONS: Structure = Structure { fields: &[
    filled("kmsKeyId", Text), filled("kmsEncryptionContext", Text), filled("enableEncryption", True),
    filled("serverSideCustomerKeySecret", Object(&CORE_SECRETKEYSELECTOR)),
] };

pub(super) static WF_SCRIPTTEMPLATE: Structure = Structure { fields: &[
    always("name", Text), filled("image", Text), filled("command", Items(&Text)),
    filled("args", Items(&Text)), filled("workingDir", Text),
    filled("ports", Items(&Object(&CORE_CONTAINERPORT))),
    filled("envFrom", Items(&Object(&CORE_ENVFROMSOURCE))), filled("env", Items(&Object(&CORE_ENVVAR))),
    always("resources", Object(&CORE_RESOURCEREQUIREMENTS)),
    filled("resizePolicy", Items(&Object(&CORE_CONTAINERRESIZEPOLICY))), filled("restartPolicy", Text),
    filled("restartPolicyRules", Items(&Object(&CORE_CONTAINERRESTARTRULE))),
    filled("volumeMounts", Items(&Object(&CORE_VOLUMEMOUNT))),
    filled("volumeDevices", Items(&Object(&CORE_VOLUMEDEVICE))),
    filled("livenessProbe", Object(&CORE_PROBE)), filled("readinessProbe", Object(&CORE_PROBE)),
    filled("startupProbe", Object(&CORE_PROBE)), filled("lifecycle", Object(&CORE_LIFECYCLE)),
    filled("terminationMessagePath", Text), filled("terminationMessagePolicy", Text),
    filled("imagePullPolicy", Text), filled("securityContext", Object(&CORE_SECURITYCONTEXT)),
    filled("stdin", True), filled("stdinOnce", True), filled("tty", True), always("source", Text),
] };

pub(super) static WF_SEMAPHOREREF: Structure = Structure { fields: &[
    filled("configMapKeyRef", Object(&CORE_CONFIGMAPKEYSELECTOR)), filled("namespace", Text),
    filled("database", Object(&WF_SYNCDATABASEREF)),
] };

pub(super) static WF_SEQUENCE: Structure = Structure { fields: &[
    filled("count", IntegerOrText), filled("start", IntegerOrText), filled("end", IntegerOrText),
    filled("format", Text),
] };

pub(super) static WF_SUPPLIEDVALUEFROM: Structure = Structure { fields: &[
] };

pub(super) static WF_SUSPENDTEMPLATE: Structure = Structure { fields: &[
    filled("duration", Text),
] };

pub(super) static WF_SYNCDATABASEREF: Structure = Structure { fields: &[
    always("key", Text),
] };

pub(super) static WF_SYNCHRONIZATION: Structure = Structure { fields: &[
    filled("semaphore", Object(&WF_SEMAPHOREREF)), filled("mutex", Object(&WF_MUTEX)),
    filled("semaphores", Items(&Nullable(&Object(&WF_SEMAPHOREREF)))),
    filled("mutexes", Items(&Nullable(&Object(&WF_MUTEX)))),
] };

pub(super) static WF_TARSTRATEGY: Structure = Structure { fields: &[
    filled("compressionLevel", Integer(Int32)),
] };

pub(super) static WF_TEMPLATE: Structure = Structure { fields: &[
    filled("name", Text), always("inputs", Object(&WF_INPUTS)), always("outputs", Object(&WF_OUTPUTS)),
    filled("nodeSelector", Entries(&Text)), filled("affinity", Object(&CORE_AFFINITY)),
    always("metadata", Object(&WF_METADATA)), filled("daemon", Bool),
    kind("steps", Items(&Nullable(&List(&Object(&WF_WORKFLOWSTEP))))),
    kind("container", Object(&CORE_CONTAINER)), kind("containerSet", Object(&WF_CONTAINERSETTEMPLATE)),
    kind("script", Object(&WF_SCRIPTTEMPLATE)), kind("resource", Object(&WF_RESOURCETEMPLATE)),
    kind("dag", Object(&WF_DAGTEMPLATE)), kind("suspend", Object(&WF_SUSPENDTEMPLATE)),
    kind("data", Object(&WF_DATA)), kind("http", Object(&WF_HTTP)), kind("plugin", Wrapper),
    filled("volumes", Items(&Object(&CORE_VOLUME))),
    filled("initContainers", Items(&Object(&WF_USERCONTAINER))),
    filled("sidecars", Items(&Object(&WF_USERCONTAINER))),
    filled("archiveLocation", Object(&WF_ARTIFACTLOCATION)), filled("activeDeadlineSeconds", IntegerOrText),
    filled("retryStrategy", Object(&WF_RETRYSTRATEGY)), filled("parallelism", Integer(Int64)),
    filled("failFast", Bool), filled("tolerations", Items(&Object(&CORE_TOLERATION))),
    filled("schedulerName", Text), filled("priorityClassName", Text), filled("serviceAccountName", Text),
    filled("automountServiceAccountToken", Bool), filled("executor", Object(&WF_EXECUTORCONFIG)),
    filled("hostAliases", Items(&Object(&CORE_HOSTALIAS))),
    filled("securityContext", Object(&CORE_PODSECURITYCONTEXT)), filled("podSpecPatch", Text),
    filled("metrics", Object(&WF_METRICS)), filled("synchronization", Object(&WF_SYNCHRONIZATION)),
    filled("memoize", Object(&WF_MEMOIZE)), filled("timeout", Text), filled("annotations", Entries(&Text)),
    filled("pendingTimeout", Text), filled("podResources", Object(&CORE_RESOURCEREQUIREMENTS)),
    filled("resourceClaims", Items(&Object(&CORE_PODRESOURCECLAIM))),
] };

pub(super) static WF_TEMPLATEREF: Structure = Structure { fields: &[
    filled("name", Text), filled("template", Text), filled("clusterScope", True),
] };

pub(super) static WF_TRANSFORMATIONSTEP: Structure = Structure { fields: &[
    always("expression", Text),
] };

pub(super) static WF_USERCONTAINER: Structure = Structure { fields: &[
    always("name", Text), filled("image", Text), filled("command", Items(&Text)),
    filled("args", Items(&Text)), filled("workingDir", Text),
    filled("ports", Items(&Object(&CORE_CONTAINERPORT))),
    filled("envFrom", Items(&Object(&CORE_ENVFROMSOURCE))), filled("env", Items(&Object(&CORE_ENVVAR))),
    always("resources", Object(&CORE_RESOURCEREQUIREMENTS)),
    filled("resizePolicy", Items(&Object(&CORE_CONTAINERRESIZEPOLICY))), filled("restartPolicy", Text),
    filled("restartPolicyRules", Items(&Object(&CORE_CONTAINERRESTARTRULE))),
    filled("volumeMounts", Items(&Object(&CORE_VOLUMEMOUNT))),
    filled("volumeDevices", Items(&Object(&CORE_VOLUMEDEVICE))),
    filled("livenessProbe", Object(&CORE_PROBE)), filled("readinessProbe", Object(&CORE_PROBE)),
    filled("startupProbe", Object(&CORE_PROBE)), filled("lifecycle", Object(&CORE_LIFECYCLE)),
    filled("terminationMessagePath", Text), filled("terminationMessagePolicy", Text),
    filled("imagePullPolicy", Text), filled("securityContext", Object(&CORE_SECURITYCONTEXT)),
    filled("stdin", True), filled("stdinOnce", True), filled("tty", True),
    filled("mirrorVolumeMounts", Bool),
] };

pub(super) static WF_VALUEFROM: Structure = Structure { fields: &[
    filled("path", Text), filled("jsonPath", Text), filled("jqFilter", Text), filled("event", Text),
    filled("parameter", Text), filled("supplied", Object(&WF_SUPPLIEDVALUEFROM)),
    filled("configMapKeyRef", Object(&CORE_CONFIGMAPKEYSELECTOR)), filled("default", Text),
    filled("expression", Text),
] };

pub(super) static WF_WORKFLOWSTEP: Structure = Structure { fields: &[
    filled("name", Text), filled("template", Text), filled("inline", Object(&WF_TEMPLATE)),
    always("arguments", Object(&WF_ARGUMENTS)), filled("templateRef", Object(&WF_TEMPLATEREF)),
    filled("withItems", Items(&Free)), filled("withParam", Text),
    filled("withSequence", Object(&WF_SEQUENCE)), filled("when", Text),
    filled("continueOn", Object(&WF_CONTINUEON)), filled("onExit", Text),
    filled("hooks", Entries(&Object(&WF_LIFECYCLEHOOK))),
] };

pub(super) static WF_ZIPSTRATEGY: Structure = Structure { fields: &[
] };
