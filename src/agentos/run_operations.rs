//! The operations on runs, which agents, teams and workflows have alike: one definition of each, and what differs.

/// Running, listing and reading runs, cancelling and resuming them, of one kind of component.
macro_rules! run_operations {
    (
        resource: $resource:ident,
        what: $a:literal $what:literal at $path:literal by $id:ident,
        parts: $parts:literal,
        $(#[$run_doc:meta])*
        run: $Run:ident { $($(#[$extra_doc:meta])* $extra:ident: $extra_type:ty,)* },
        list: $List:ident { $($(#[$list_doc:meta])* $list_extra:ident: $list_type:ty,)* },
        get: $Get:ident { $($(#[$get_doc:meta])* $get_extra:ident: $get_type:ty,)* },
        cancel: $Cancel:ident,
        resume: $Resume:ident,
    ) => {
        $(#[$run_doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $Run {
            #[doc = concat!("The ", $what, ".")]
            pub $id: String,
            /// What to say to it. The server answers 422 to an empty message.
            pub message: String,
            /// The session to continue or to create; without it, the server creates one.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub session_id: Option<String>,
            /// Who says it. Since agno 3, a session can only be continued by the user who began it: to others it is 404.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub user_id: Option<String>,
            /// The id of the run; without it, the server makes one. Ids are unique in the whole database: one that exists
            /// takes the place of the old run, even in another session.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub run_id: Option<String>,
            /// State that is merged into that of the session, and kept.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub session_state: Option<Map<String, Value>>,
            #[doc = concat!("Values for the ", $what, "'s instructions and tools.")]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub dependencies: Option<Map<String, Value>>,
            /// Metadata of the run.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub metadata: Option<Map<String, Value>>,
            /// Which knowledge is searched.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub knowledge_filters: Option<Map<String, Value>>,
            /// The JSON Schema of the answer, which is an object then and not a text.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub output_schema: Option<Map<String, Value>>,
            /// Whether the schema is given to the model as it is; the server's default is false: it is made a class first.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub use_json_schema: Option<bool>,
            #[doc = concat!("The version of the ", $what, ", of one that has versions; the server ignores it for those made by code.")]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub version: Option<u32>,
            #[doc = concat!("What the factory is given, of ", $a, " that a factory makes for each request; since agno 2.6.")]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub factory_input: Option<Map<String, Value>>,
            /// Images: paths, URLs, or mappings with `path`, `url`, `base64` or `text`.
            #[serde(default, skip_serializing)]
            #[schemars(extend("x-files" = true))]
            pub images: Option<Vec<FileInput>>,
            /// Audio, given like `images`.
            #[serde(default, skip_serializing)]
            #[schemars(extend("x-files" = true))]
            pub audio: Option<Vec<FileInput>>,
            /// Videos, given like `images`.
            #[serde(default, skip_serializing)]
            #[schemars(extend("x-files" = true))]
            pub videos: Option<Vec<FileInput>>,
            /// Documents, given like `images`.
            #[serde(default, skip_serializing)]
            #[schemars(extend("x-files" = true))]
            pub files: Option<Vec<FileInput>>,
            $(
                $(#[$extra_doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $extra: $extra_type,
            )*
            #[doc = concat!("Whether it runs in the background, apart from this connection; since agno 2.5. The ", $what)]
            /// needs a database. It is waited for, unless `wait` is false: the answer is 202 with the ids then.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub background: Option<bool>,
            /// Whether a run in the background is waited for; the default is true. Not sent to the server.
            #[serde(default, skip_serializing)]
            #[schemars(extend("default" = true))]
            pub wait: Option<bool>,
            /// How it is waited for. Not sent to the server.
            #[serde(default, skip_serializing)]
            pub poll: Option<Poll>,
            /// Whether the answer comes as a stream of events, from which it is put together; the default is false, and
            /// always sent: the server's own differs between versions.
            #[serde(default)]
            pub stream: bool,
        }

        impl Operation for $Run {
            const SPEC: Spec = Spec {
                body: Body::Form,
                ..Spec::new(concat!("run_", $what), Resource::$resource, Method::Post, concat!($path, "/runs"))
            };
            type Answer = RunOutput;

            fn call(&self) -> Result<Call, Error> {
                let mut call = Call::of(&Self::SPEC, self)?;
                let media = Media {
                    images: self.images.as_ref(),
                    audio: self.audio.as_ref(),
                    videos: self.videos.as_ref(),
                    files: self.files.as_ref(),
                };
                media.put(&mut call, $parts)?;
                Ok(call)
            }

            fn streams(&self) -> bool {
                self.stream
            }

            fn begins(&self) -> Option<Beginning<'_>> {
                let (run_id, session_id) = (self.run_id.as_ref(), self.session_id.as_ref());
                Some(Beginning::of(&self.$id, run_id, session_id, self.background, self.wait, self.poll.as_ref()))
            }
        }

        #[doc = concat!("Lists the runs of ", $a, " in a session, oldest first.")]
        ///
        /// A list, not a page; its entries are as in `get_session_runs`.
        #[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $List {
            #[doc = concat!("The ", $what, ".")]
            pub $id: String,
            /// The session. An unknown one is answered 404.
            pub session_id: String,
            /// Only runs with this status, in upper case: `COMPLETED`, `ERROR`, `PAUSED`, ...
            #[serde(skip_serializing_if = "Option::is_none")]
            pub status: Option<String>,
            $(
                $(#[$list_doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $list_extra: $list_type,
            )*
        }

        impl Operation for $List {
            const SPEC: Spec = Spec {
                aliases: &[concat!("get_", $what, "_runs")],
                query: &["session_id", "status", $(stringify!($list_extra)),*],
                since: Some("2.5"),
                ..Spec::new(
                    concat!("list_", $what, "_runs"),
                    Resource::$resource,
                    Method::Get,
                    concat!($path, "/runs"),
                )
            };
            type Answer = Vec<SessionRun>;
        }

        #[doc = concat!("Reads a run of ", $a, " as it is stored.")]
        ///
        /// It differs a little from what running answered: messages of earlier runs are left out, `events` is added. Of a
        /// run in the background, `status` tells how far it is.
        #[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $Get {
            #[doc = concat!("The ", $what, ".")]
            pub $id: String,
            /// The run.
            pub run_id: String,
            /// The session of the run.
            pub session_id: String,
            $(
                $(#[$get_doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $get_extra: $get_type,
            )*
        }

        impl Operation for $Get {
            const SPEC: Spec = Spec {
                query: &["session_id", $(stringify!($get_extra)),*],
                since: Some("2.5"),
                ..Spec::new(
                    concat!("get_", $what, "_run"),
                    Resource::$resource,
                    Method::Get,
                    concat!($path, "/runs/{run_id}"),
                )
            };
            type Answer = RunOutput;
        }

        #[doc = concat!("Cancels a run of ", $a, ".")]
        ///
        /// It is an intention: the server answers 200 in every case, also where there is no such run or it has ended. A run
        /// that is no stream stops when its model has answered; one that has not begun is cancelled when it begins; one
        /// that is paused stays so until it is continued. The status of the run tells.
        #[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $Cancel {
            #[doc = concat!("The ", $what, ". An unknown one is answered 404.")]
            pub $id: String,
            /// The run.
            pub run_id: String,
            /// Its session; needed where users are kept apart.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub session_id: Option<String>,
        }

        impl Operation for $Cancel {
            const SPEC: Spec = Spec {
                query: &["session_id"],
                ..Spec::new(
                    concat!("cancel_", $what, "_run"),
                    Resource::$resource,
                    Method::Post,
                    concat!($path, "/runs/{run_id}/cancel"),
                )
            };
            type Answer = Value;
        }

        /// Reads the stream of a run in the background again, from an event on.
        ///
        /// A run that has ended is replayed; one that goes on is followed to its end. One that is no stream has no events,
        /// and only its status comes. An unknown run is an event `error` in an answer of 200.
        #[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $Resume {
            #[doc = concat!("The ", $what, ".")]
            pub $id: String,
            /// The run.
            pub run_id: String,
            /// Its session.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub session_id: Option<String>,
            /// The `event_index` of the last event that is known; without it, all events come.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub last_event_index: Option<i64>,
        }

        impl Operation for $Resume {
            const SPEC: Spec = Spec {
                aliases: &[concat!("resume_", $what, "_run_stream")],
                body: Body::Form,
                effect: Effect::Read,
                since: Some("2.6"),
                ..Spec::new(
                    concat!("resume_", $what, "_run"),
                    Resource::$resource,
                    Method::Post,
                    concat!($path, "/runs/{run_id}/resume"),
                )
            };
            type Answer = RunOutput;

            fn streams(&self) -> bool {
                true
            }
        }
    };
}

pub(super) use run_operations;
