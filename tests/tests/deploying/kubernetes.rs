//! The manifests.

use yaml_rust2::{Yaml, YamlLoader};

use crate::{Any, text};

const FILES: [(&str, &str); 2] = [("collector.yaml", "Deployment"), ("cronjob.yaml", "CronJob")];

fn object(file: &str, kind: &str) -> Any<Yaml> {
    let documents = YamlLoader::load_from_str(&text(&format!("kubernetes/{file}"))?)?;
    let mut found = documents.into_iter().filter(|object| object["kind"].as_str() == Some(kind));
    found.next().ok_or_else(|| format!("{file} has no {kind}").into())
}

/// The pods of an object.
fn pod(object: &Yaml) -> &Yaml {
    let spec = &object["spec"];
    let job = &spec["jobTemplate"]["spec"];
    if job.is_badvalue() { &spec["template"]["spec"] } else { &job["template"]["spec"] }
}

/// The arguments of `hindsight`.
pub(crate) fn arguments(file: &str, kind: &str) -> Any<Vec<String>> {
    let object = object(file, kind)?;
    let args = pod(&object)["containers"][0]["args"].as_vec().ok_or("a container without args")?;
    args.iter()
        .map(|arg| arg.as_str().map(str::to_owned).ok_or_else(|| "an arg is no text".into()))
        .collect()
}

#[test]
fn pods_run_without_root_and_write_only_their_volume() -> Any<()> {
    for (file, kind) in FILES {
        let object = object(file, kind)?;
        let pod = pod(&object);
        let security = &pod["securityContext"];
        assert_eq!(security["runAsNonRoot"].as_bool(), Some(true), "{file}");
        assert!(security["runAsUser"].as_i64().is_some_and(|user| user > 0), "{file}");
        assert_eq!(security["seccompProfile"]["type"].as_str(), Some("RuntimeDefault"));
        // Otherwise the group may write the folders of snapshots, which the collector refuses.
        assert_eq!(security["fsGroupChangePolicy"].as_str(), Some("OnRootMismatch"), "{file}");
        assert_eq!(pod["automountServiceAccountToken"].as_bool(), Some(false), "{file}");
        let containers = pod["containers"].as_vec().ok_or("no containers")?;
        let [container] = &containers[..] else { return Err("one container".into()) };
        let security = &container["securityContext"];
        assert_eq!(security["readOnlyRootFilesystem"].as_bool(), Some(true), "{file}");
        assert_eq!(security["allowPrivilegeEscalation"].as_bool(), Some(false), "{file}");
        assert_eq!(security["capabilities"]["drop"][0].as_str(), Some("ALL"), "{file}");
        assert!(container["resources"]["limits"]["memory"].as_str().is_some(), "{file}");
    }
    Ok(())
}

/// What the arguments name is mounted, from the claim and the secret that the pages tell of.
#[test]
fn paths_in_arguments_are_mounted() -> Any<()> {
    let claim = object("collector.yaml", "PersistentVolumeClaim")?;
    for (file, kind) in FILES {
        let object = object(file, kind)?;
        let pod = pod(&object);
        let volumes = pod["volumes"].as_vec().ok_or("no volumes")?;
        let behind = |path: &str| {
            let mounts = pod["containers"][0]["volumeMounts"].as_vec()?;
            let mount = mounts.iter().find(|mount| {
                mount["mountPath"].as_str().is_some_and(|mounted| path.starts_with(mounted))
            })?;
            let volume = volumes.iter().find(|volume| volume["name"] == mount["name"])?;
            Some((volume, mount["readOnly"].as_bool().unwrap_or(false)))
        };
        let args = arguments(file, kind)?;
        let of = |flag: &str| {
            let found = args.iter().find_map(|arg| arg.strip_prefix(flag)?.strip_prefix('='));
            found.ok_or_else(|| format!("{file} has no {flag}"))
        };
        let (volume, read_only) = behind(of("--out")?).ok_or("--out is not mounted")?;
        assert_eq!(volume["persistentVolumeClaim"]["claimName"], claim["metadata"]["name"]);
        assert!(!read_only);
        let (volume, read_only) = behind(of("--creds")?).ok_or("--creds is not mounted")?;
        assert_eq!(volume["secret"]["secretName"].as_str(), Some("hindsight-creds"));
        assert!(read_only);
        // 0440: YAML 1.2 knows no octal numbers of that form, so they are written as decimals.
        assert_eq!(volume["secret"]["defaultMode"].as_i64(), Some(0o440));
    }
    Ok(())
}

#[test]
fn one_collector_writes_a_volume_at_a_time() -> Any<()> {
    let deployment = object("collector.yaml", "Deployment")?;
    assert_eq!(deployment["spec"]["replicas"].as_i64(), Some(1));
    assert_eq!(deployment["spec"]["strategy"]["type"].as_str(), Some("Recreate"));
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels);
    let job = object("cronjob.yaml", "CronJob")?;
    assert_eq!(job["spec"]["concurrencyPolicy"].as_str(), Some("Forbid"));
    assert_eq!(pod(&job)["restartPolicy"].as_str(), Some("Never"));
    assert!(!arguments("cronjob.yaml", "CronJob")?.iter().any(|arg| arg.starts_with("--every")));
    assert!(arguments("collector.yaml", "Deployment")?.contains(&"--every=1m".to_owned()));
    Ok(())
}
