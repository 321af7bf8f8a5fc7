# Over a folder, by the storage that it recommends.
version=3.1.0

install() {
    need java
    need mvn
    cat >"$1/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>io.argo-attest</groupId><artifactId>s3proxy</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.gaul</groupId><artifactId>s3proxy</artifactId><version>$version</version>
  </dependency></dependencies>
</project>
XML
    (cd "$1" && mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=lib) >&2
}

serve() {
    mkdir "$2/data"
    cat >"$2/s3proxy.conf" <<CONF
s3proxy.endpoint=http://127.0.0.1:$3
s3proxy.authorization=aws-v2-or-v4
s3proxy.identity=$ACCESS_KEY
s3proxy.credential=$SECRET_KEY
jclouds.provider=filesystem-nio2
jclouds.identity=$ACCESS_KEY
jclouds.credential=$SECRET_KEY
jclouds.filesystem.basedir=$2/data
CONF
    exec java -cp "$1/lib/*" org.gaul.s3proxy.Main --properties "$2/s3proxy.conf"
}
