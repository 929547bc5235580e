//! What can be wrong with an AppSpec.

use super::yaml::{Node, Position};

/// A fault and where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct AppSpecError {
    /// What is wrong.
    #[source]
    pub problem: Problem,
    /// Where it is in the file.
    pub at: Position,
}

/// A fault of an AppSpec. The sentences are the official agent's, since people search for them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The text is not YAML.
    #[error("(<unknown>): {sentence} at line {line} column {column}")]
    Syntax { sentence: String, line: u64, column: u64 },
    /// There is nothing in it.
    #[error(
        "The deployment failed because the application specification file was empty. Make sure your AppSpec file defines at \
         minimum the 'version' and 'os' properties."
    )]
    Empty,
    /// `version` is not the number zero.
    #[error(
        "The deployment failed because an invalid version value ({found}) was entered in the application specification file. \
         Make sure your AppSpec file specifies \"0.0\" as the version, and then try again."
    )]
    Version { found: String },
    /// `os` is not that of the host.
    #[error(
        "The deployment failed because the application specification file specifies an unsupported operating system ({found}). \
         Specify either \"linux\" or \"windows\" in the os section of the AppSpec file, and then try again."
    )]
    OperatingSystem { found: String },
    /// `file_exists_behavior` is none of the three.
    #[error(
        "The deployment failed because an invalid file_exists_behavior value ({found}) was entered in the application \
         specification file. Make sure your AppSpec file specifies one of DISALLOW,OVERWRITE,RETAIN as the \
         file_exists_behavior, and then try again."
    )]
    FileExistsBehavior { found: String },
    /// A value has another shape than its place needs.
    #[error("{what} must be {expected}, and is {found}")]
    Shape { what: String, expected: &'static str, found: String },
    /// A script has no location.
    #[error(
        "The deployment failed because the application specification file specifies a script with no location value. Specify \
         the location in the hooks section of the AppSpec file, and then try again."
    )]
    NoLocation,
    /// A script's timeout is not a positive number of seconds.
    #[error(
        "The deployment failed because an invalid timeout value was provided for a script in the application specification \
         file. Make corrections in the hooks section of the AppSpec file, and then try again."
    )]
    Timeout { found: String },
    /// A file has a destination and no source.
    #[error(
        "The deployment failed because the application specification file specifies a destination file, but no source file. \
         Update the files section of the AppSpec file, and then try again."
    )]
    NoSource,
    /// A file has a source and no destination.
    #[error(
        "The deployment failed because the application specification file specifies only a source file ({source_path}). Add \
         the name of the destination file to the files section of the AppSpec file, and then try again."
    )]
    NoDestination { source_path: String },
    /// A permission names no object.
    #[error(
        "The deployment failed because a permission listed in the application specification file has no object value. Update \
         the permissions section of the AppSpec file, and then try again."
    )]
    NoObject,
    /// A permission is for something other than files and directories. The missing blank is the official agent's.
    #[error(
        "The deployment failed because the application specification filespecifies a permission for an object type not \
         supported for permissions ({found}). Update the permissions section of the AppSpec file, and then try again."
    )]
    ObjectType { found: String },
    /// A mode has no or too many digits.
    #[error(
        "The deployment failed because the length of a permissions mode ({found}) in the application specification file is \
         invalid. Permissions modes must be between one and four characters long. Update the permissions section of the AppSpec \
         file, and then try again."
    )]
    ModeLength { found: String },
    /// A mode has a character that is not an octal digit.
    #[error(
        "The deployment failed because the permissions mode ({found}) in the application specification file contains an invalid \
         character ({character}). Update the permissions section of the AppSpec file, and then try again."
    )]
    ModeCharacter { found: String, character: char },
    /// An access list entry is not of the form.
    #[error(
        "The deployment failed because of a problem with the acls permission settings in the application specification file. \
         Invalid acl entry ({entry})."
    )]
    AclEntry { entry: String },
    /// An access list entry repeats what `mode` says.
    #[error(
        "The deployment failed because of a problem with the acls permission settings in the application specification file. \
         Use mode to set the base acl entry ({entry}). Update the permissions section of the AppSpec file, and then try again."
    )]
    AclBaseEntry { entry: String },
    /// An access list entry's permissions have a letter that is none.
    #[error(
        "The deployment failed because the access control list (ACL) named {entry} in the application specification file \
         contains an invalid character ({character}). Correct the ACL in the hooks section of the AppSpec file, and then try again."
    )]
    AclCharacter { entry: String, character: char },
    /// A security context names no type.
    #[error(
        "The deployment failed because the application specification file specifies an invalid context type ({found}). Update \
         the permissions section of the AppSpec file, and then try again."
    )]
    ContextType { found: String },
    /// A security context's range is not of the form.
    #[error(
        "The deployment failed because the application specification file specifies an invalid context range ({found}). Update \
         the permissions section of the AppSpec file, and then try again."
    )]
    ContextRange { found: String },
}

impl Problem {
    /// The problem at its place.
    pub fn at(self, at: Position) -> AppSpecError {
        AppSpecError { problem: self, at }
    }

    /// The problem of a value of the wrong shape.
    pub(super) fn shape(what: impl Into<String>, expected: &'static str, found: &Node) -> Self {
        Self::Shape { what: what.into(), expected, found: found.describe() }
    }
}
